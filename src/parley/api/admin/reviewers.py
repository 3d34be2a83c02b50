"""Say how the simulator's reviewers decide on brands, campaigns and verifications."""

from parley.api.admin.problems import checked, merged
from parley.api.http.endpoint import Call, Reply, json_reply
from parley.core.review import Reviewing
from parley.model.registry import Reviewers


class ReviewersApi:
    """Handlers of /simulator/reviewers."""

    def __init__(self, reviewing: Reviewing) -> None:
        self._reviewing = reviewing

    async def show(self, call: Call) -> Reply:
        """GET /simulator/reviewers."""
        call.arguments().allow(frozenset())
        await self._reviewing.refresh()
        return json_reply(200, self._reviewing.reviewers)

    async def tell(self, call: Call) -> Reply:
        """PUT /simulator/reviewers: decide so from now on; what is left out stays as it is."""
        call.arguments().allow(frozenset())
        await self._reviewing.refresh()
        reviewers = checked(merged(call.json(), self._reviewing.reviewers), Reviewers)
        await self._reviewing.tell(reviewers)
        return json_reply(200, reviewers)
