"""Verified caller ids: phones of others that a project has shown to answer. Source: SignalWire's caller id pages."""

from typing import Any, Final

from msgspec.structs import replace

from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.signalwire import pages, shapes
from parley.api.signalwire.fields import Fields, nothing_asked
from parley.api.signalwire.paths import path_id
from parley.api.signalwire.problems import Invalid, Problem
from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.lib.ids import to_uuid
from parley.model.address import SIGNALWIRE, InvalidAddress, parse_recipient
from parley.model.caller_id import CallerId
from parley.model.resource import Resource

CALLER_IDS: Final = "/api/relay/rest/verified_caller_ids"
FILTERS: Final = pages.PARAMETERS | {"filter_name", "filter_number"}
PARAMETERS: Final = frozenset({"number", "name", "extension"})
_MOST_NAME: Final = 200


class CallerIds:
    """The operations on caller ids.

    With `answers` (the dev profile) every phone is a simulated one, which answers and is verified at once. Else there
    is nobody to call it, and verification is refused. Messages are sent from a project's own numbers only.
    """

    def __init__(self, caller_ids: Resources[CallerId], *, answers: bool) -> None:
        self._caller_ids = caller_ids
        self._answers = answers

    async def list(self, call: Call) -> Reply:
        """GET: newest first; both filters are substrings."""
        arguments = call.arguments()
        pages.allow(arguments, FILTERS)
        name, number = (arguments.one("filter_name") or "").lower(), arguments.one("filter_number") or ""
        found = [
            each
            for each in await self._caller_ids.family(call.account.id)
            if name in each.value.friendly_name.lower() and number in each.value.phone_number
        ]
        page = await pages.turn(CALLER_IDS, arguments, pages.read_window(arguments), pages.among(found))
        return json_reply(200, {"links": page.links, "data": [caller_id_body(each) for each in page.items]})

    async def create(self, call: Call) -> Reply:
        """POST: call a phone, which is verified once it answered."""
        fields = Fields(call.json(), PARAMETERS)
        number, name = fields.required("number"), fields.text("name", most=_MOST_NAME)
        fields.text("extension")
        if number and not _is_phone(number):
            fields.refuse("invalid_number_format", "number must be in E.164 form", "number")
        elif not self._answers:
            rule = "Calls are not served here, so that no phone can be verified by one"
            fields.refuse("feature_not_available", rule, "number")
        fields.check()
        try:
            made = await self._caller_ids.add(call.account.id, CallerId(number, name or number), name=number)
        except Refused:
            problem = Problem("already_assigned", "The number is a caller id of this project already", "number")
            raise Invalid([problem]) from None
        return json_reply(201, caller_id_body(made))

    async def fetch(self, call: Call) -> Reply:
        """GET of one caller id; also the answer to whoever asks that it be called again, which it needs no more."""
        nothing_asked(call)
        return json_reply(200, caller_id_body(await self._caller_ids.fetch(call.account.id, path_id(call))))

    async def verify(self, call: Call) -> Reply:
        """PUT of a code, which whoever is verified needs no more."""
        fields = Fields(call.json(), {"verification_code"})
        fields.required("verification_code")
        fields.check()
        return json_reply(200, caller_id_body(await self._caller_ids.fetch(call.account.id, path_id(call))))

    async def update(self, call: Call) -> Reply:
        """PUT: another name."""
        fields = Fields(call.json(), {"name"})
        name = fields.required("name", most=_MOST_NAME)
        fields.check()

        def renamed(before: Resource[CallerId]) -> Resource[CallerId]:
            return replace(before, value=replace(before.value, friendly_name=name))

        return json_reply(200, caller_id_body(await self._caller_ids.change(call.account.id, path_id(call), renamed)))

    async def delete(self, call: Call) -> Reply:
        """DELETE: forget that the phone was verified."""
        nothing_asked(call)
        await self._caller_ids.drop(call.account.id, path_id(call))
        return NO_CONTENT


def caller_id_body(found: Resource[CallerId]) -> dict[str, Any]:
    """A caller id in SignalWire's shape."""
    return {
        "type": "verified_caller_id",
        "id": to_uuid(found.id),
        "number": found.value.phone_number,
        "name": found.value.friendly_name,
        "extension": None,
        "verified": True,
        "verified_at": shapes.at(found.created_at),
        "status": "Verified",
    }


def _is_phone(text: str) -> bool:
    try:
        return parse_recipient(text, SIGNALWIRE).kind == "e164"
    except InvalidAddress:
        return False
