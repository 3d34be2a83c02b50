"""Outgoing caller ids: phones that an account has verified. Source: twilio.com/docs/voice/api/outgoing-caller-ids."""

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from parley.api.http.decode import Form
from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio import pages, render
from parley.api.twilio.parameters import friendly_name, method, wanted_address
from parley.api.twilio.paths import NUMBER, check_account, check_nothing_asked, resource_id
from parley.api.twilio.problems import Invalid
from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.lib.ids import Ids
from parley.model.address import TWILIO, InvalidAddress, parse_recipient
from parley.model.caller_id import CallerId
from parley.model.resource import Resource

_FILTERS: Final = pages.PARAMETERS | {"PhoneNumber", "FriendlyName"}
_PARAMETERS: Final = frozenset(
    {"PhoneNumber", "FriendlyName", "CallDelay", "Extension", "StatusCallback", "StatusCallbackMethod"}
)
_MOST_DELAY_S: Final = 60


class CallerIds:
    """The operations on caller ids. `code` makes a validation code, of six digits.

    With `answers` (the dev profile) every phone is a simulated one: it takes the call and types the code at once. Else
    there is nobody to call it, and validation is refused.
    """

    def __init__(self, caller_ids: Resources[CallerId], ids: Ids, code: Callable[[], str], *, answers: bool) -> None:
        self._caller_ids = caller_ids
        self._ids = ids
        self._code = code
        self._answers = answers

    async def list(self, call: Call) -> Reply:
        """A page of the account's verified phones, newest first."""
        check_account(call)
        form = call.arguments()
        form.allow(_FILTERS)
        page = pages.page_of(form)
        phone, name = wanted_address(form, "PhoneNumber"), form.one("FriendlyName") or None
        wanted = [
            each
            for each in reversed(await self._caller_ids.family(call.account.id))
            if each.value.is_verified
            and phone in (None, each.value.phone_number)
            and name in (None, each.value.friendly_name)
        ]
        found = pages.cut(page, wanted, lambda each: each.id)
        path = f"{render.account_path(call.account.id)}/OutgoingCallerIds.json"
        return pages.page_reply("outgoing_caller_ids", path, form, page, found, lambda each: each.id, _caller_id)

    async def validate(self, call: Call) -> Reply:
        """Call a phone, which is verified once the code was typed there."""
        check_account(call)
        form = call.form()
        form.allow(_PARAMETERS)
        text = form.one("PhoneNumber") or ""
        try:
            address = parse_recipient(text, TWILIO)
        except InvalidAddress:
            address = None
        if address is None or address.kind != "e164" or address.channel != "sms":
            raise Refused("number_invalid", text)
        _check_delay(form)
        method(form, "StatusCallbackMethod")
        if form.one("StatusCallback"):
            raise Fault("invalid_parameter", "StatusCallback is not supported: calls are not served", "StatusCallback")
        if not self._answers:
            raise Fault("invalid_parameter", "Calls are not served, so that no phone can be verified by one")
        value = CallerId(address.value, friendly_name(form) or render.national(address.value))
        try:
            made = await self._caller_ids.add(call.account.id, value, name=address.value)
        except Refused:
            message = f"Phone number {address.value} is verified for this account already"
            raise Invalid(21450, message, "PhoneNumber") from None
        return json_reply(
            200,
            {
                "account_sid": f"AC{made.account_id.hex()}",
                "call_sid": f"CA{self._ids.new().hex()}",
                "friendly_name": value.friendly_name,
                "phone_number": value.phone_number,
                "validation_code": self._code(),
            },
        )

    async def fetch(self, call: Call) -> Reply:
        """One verified phone."""
        check_account(call)
        check_nothing_asked(call)
        return json_reply(200, _caller_id(await self._verified(call)))

    async def update(self, call: Call) -> Reply:
        """Rename a verified phone."""
        check_account(call)
        form = call.form()
        form.allow(frozenset({"FriendlyName"}))
        name = friendly_name(form)

        def renamed(stands: Resource[CallerId]) -> Resource[CallerId]:
            value = stands.value
            unset = render.national(value.phone_number)
            return stands if name is None else replace(stands, value=replace(value, friendly_name=name or unset))

        changed = await self._caller_ids.change(call.account.id, (await self._verified(call)).id, renamed)
        return json_reply(200, _caller_id(changed))

    async def delete(self, call: Call) -> Reply:
        """Forget that a phone was verified."""
        check_account(call)
        check_nothing_asked(call)
        await self._caller_ids.drop(call.account.id, (await self._verified(call)).id)
        return NO_CONTENT

    async def _verified(self, call: Call) -> Resource[CallerId]:
        found = await self._caller_ids.fetch(call.account.id, resource_id(call, NUMBER))
        if not found.value.is_verified:  # SignalWire's API has those, too, that wait for their code
            raise Refused("not_found")
        return found


def _check_delay(form: Form) -> None:
    text = form.one("CallDelay")
    if text and not (text.isascii() and text.isdigit() and len(text) < 3 and int(text) <= _MOST_DELAY_S):
        raise Invalid(21454, f"CallDelay must be a whole number of seconds from 0 to {_MOST_DELAY_S}", "CallDelay")


def _caller_id(found: Resource[CallerId]) -> dict[str, Any]:
    sid = f"PN{found.id.hex()}"
    return {
        "sid": sid,
        "account_sid": f"AC{found.account_id.hex()}",
        "friendly_name": found.value.friendly_name,
        "phone_number": found.value.phone_number,
        "date_created": render.date(found.created_at),
        "date_updated": render.date(found.updated_at),
        "uri": f"{render.account_path(found.account_id)}/OutgoingCallerIds/{sid}.json",
    }
