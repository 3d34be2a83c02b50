"""Verified caller ids: phones of others that a project shows to be its own. Source: SignalWire's caller id pages."""

from typing import Any, Final

from msgspec.structs import replace

from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.signalwire import pages, shapes
from parley.api.signalwire.fields import Fields, nothing_asked
from parley.api.signalwire.paths import path_id
from parley.api.signalwire.problems import Invalid, Problem
from parley.core.caller_ids import CallerIds, NotCalled
from parley.core.refusal import Refused
from parley.lib.ids import to_uuid
from parley.model.caller_id import CallerId
from parley.model.resource import Resource

CALLER_IDS: Final = "/api/relay/rest/verified_caller_ids"
FILTERS: Final = pages.PARAMETERS | {"filter_name", "filter_number"}
PARAMETERS: Final = frozenset({"number", "name", "extension"})
_MOST_NAME: Final = 200


class CallerIdsApi:
    """The operations on caller ids. Messages are sent from a project's own numbers only."""

    def __init__(self, caller_ids: CallerIds) -> None:
        self._caller_ids = caller_ids

    async def list(self, call: Call) -> Reply:
        """GET: newest first; both filters are substrings."""
        arguments = call.arguments()
        pages.allow(arguments, FILTERS)
        name, number = (arguments.one("filter_name") or "").lower(), arguments.one("filter_number") or ""
        found = [
            each
            for each in await self._caller_ids.kept.family(call.account.id)
            if name in each.value.friendly_name.lower() and number in each.value.phone_number
        ]
        page = await pages.turn(CALLER_IDS, arguments, pages.among(found))
        return json_reply(200, {"links": page.links, "data": [caller_id_body(each) for each in page.items]})

    async def create(self, call: Call) -> Reply:
        """POST: call a phone, which hears a code of six digits."""
        fields = Fields(call.json(), PARAMETERS)
        number, name = fields.phone("number"), fields.text("name", most=_MOST_NAME)
        fields.text("extension")
        fields.check()
        try:
            made = await self._caller_ids.add(call.account.id, number, name or number)
        except Refused as refused:
            if refused.reason != "name_taken":
                raise
            problem = Problem("already_assigned", "The number is a caller id of this project already", "number")
            raise Invalid([problem]) from None
        return json_reply(201, caller_id_body(made))

    async def fetch(self, call: Call) -> Reply:
        """GET of one caller id."""
        pages.allow(call.arguments())
        return json_reply(200, caller_id_body(await self._caller_ids.kept.fetch(call.account.id, path_id(call))))

    async def call_again(self, call: Call) -> Reply:
        """POST of its verification: call the phone again, which hears another code."""
        nothing_asked(call)
        try:
            called = await self._caller_ids.call_again(call.account.id, path_id(call))
        except NotCalled as refused:
            raise Invalid([Problem("rate_limit_exceeded", refused.reason, "base")]) from None
        return json_reply(200, caller_id_body(called))

    async def verify(self, call: Call) -> Reply:
        """PUT of its verification: the code that the phone heard. Whoever is verified needs none any more."""
        fields = Fields(call.json(), {"verification_code"})
        code = fields.required("verification_code")
        fields.check()
        verified = await self._caller_ids.check(call.account.id, path_id(call), code)
        if verified is None:
            rule = "verification_code is not what the phone was told, or was tried too often: have it called again"
            raise Invalid([Problem("invalid_parameter", rule, "verification_code")])
        return json_reply(200, caller_id_body(verified))

    async def update(self, call: Call) -> Reply:
        """PUT: another name."""
        fields = Fields(call.json(), {"name"})
        name = fields.required("name", most=_MOST_NAME)
        fields.check()

        def renamed(before: Resource[CallerId]) -> Resource[CallerId]:
            return replace(before, value=replace(before.value, friendly_name=name))

        changed = await self._caller_ids.kept.change(call.account.id, path_id(call), renamed)
        return json_reply(200, caller_id_body(changed))

    async def delete(self, call: Call) -> Reply:
        """DELETE: forget the phone."""
        pages.allow(call.arguments())
        await self._caller_ids.kept.drop(call.account.id, path_id(call))
        return NO_CONTENT


def caller_id_body(found: Resource[CallerId]) -> dict[str, Any]:
    """A caller id in SignalWire's shape."""
    value = found.value
    return {
        "type": "verified_caller_id",
        "id": to_uuid(found.id),
        "number": value.phone_number,
        "name": value.friendly_name,
        "extension": None,
        "verified": value.is_verified,
        "verified_at": shapes.at(value.verified_at or found.created_at) if value.is_verified else None,
        "status": "Verified" if value.is_verified else "Awaiting Verification",
    }
