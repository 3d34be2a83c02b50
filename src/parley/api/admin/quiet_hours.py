"""The quiet hours of a messaging service: GET, PUT and DELETE /admin/services/{service}/quiet_hours."""

import msgspec

from parley.api.admin.named import service_id
from parley.api.admin.problems import checked
from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.core import quiet_hours
from parley.core.quiet_hours import Quiet
from parley.model.service import QuietHours


class GivenHours(QuietHours, frozen=True, forbid_unknown_fields=True):
    """Quiet hours as somebody sets them: a key that is not theirs is an error."""


class QuietHoursApi:
    """Handlers of a service's quiet hours. Its account's are a key of /admin/account."""

    def __init__(self, quiet: Quiet) -> None:
        self._quiet = quiet

    async def show(self, call: Call) -> Reply:
        """GET: null when the service has none of its own."""
        call.arguments().allow(frozenset())
        return _reply(await self._quiet.of_service(call.account.id, service_id(call)))

    async def put(self, call: Call) -> Reply:
        """PUT `{"start", "end", "action"}`."""
        call.arguments().allow(frozenset())
        hours = checked_hours(checked(call.json(), GivenHours))
        await self._quiet.set_for_service(call.account.id, service_id(call), hours)
        return _reply(hours)

    async def drop(self, call: Call) -> Reply:
        """DELETE: the account's are the service's again."""
        call.arguments().allow(frozenset())
        await self._quiet.set_for_service(call.account.id, service_id(call), None)
        return NO_CONTENT


def checked_hours(hours: QuietHours | None) -> QuietHours | None:
    """What was given. Raises Fault(invalid_parameter) for hours that cannot be."""
    if hours is not None and (fault := quiet_hours.fault(hours)):
        raise Fault("invalid_parameter", fault)
    return hours


def _reply(hours: QuietHours | None) -> Reply:
    return json_reply(200, {"quiet_hours": None if hours is None else msgspec.to_builtins(hours)})
