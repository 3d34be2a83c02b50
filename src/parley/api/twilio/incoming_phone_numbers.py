"""The numbers of an account: list, buy, fetch, configure, release.

Source: twilio.com/docs/phone-numbers/api/incomingphonenumber-resource.
"""

import re
from typing import Final

from msgspec.structs import replace

from parley.api.http.decode import Form
from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio import pages, render
from parley.api.twilio.number_settings import PARAMETERS, configured
from parley.api.twilio.parameters import boolean, choice
from parley.api.twilio.paths import NUMBER, check_account, check_nothing_asked, resource_id
from parley.api.twilio.problems import Invalid
from parley.api.twilio.urls import Urls
from parley.core import magic_numbers
from parley.core.numbers import Numbers
from parley.core.refusal import Refused
from parley.model.account import Account
from parley.model.address import TWILIO, TWILIO_STRICT, InvalidAddress, parse_recipient
from parley.model.number import Number
from parley.store import Engine, numbers

_FILTERS: Final = pages.PARAMETERS | {"PhoneNumber", "FriendlyName", "Beta", "Origin"}
_PURCHASE: Final = PARAMETERS | {"PhoneNumber", "AreaCode"}
_CHANGE: Final = PARAMETERS | {"AccountSid"}
_AREA_CODE = re.compile(r"[2-9][0-9]{2}", re.ASCII)
_PART = re.compile(r"\+?[0-9]+", re.ASCII)
_TRIES: Final = 20


class IncomingPhoneNumbers:
    """The operations on numbers. With `sells_any` (the dev profile) every number that nobody owns can be bought; else
    numbers are brought in by the operator, and none is for sale.
    """

    def __init__(self, engine: Engine, numbers: Numbers, urls: Urls, *, sells_any: bool) -> None:
        self._engine = engine
        self._numbers = numbers
        self._urls = urls
        self._sells_any = sells_any

    async def list(self, call: Call) -> Reply:
        """A page of the account's numbers, newest first."""
        check_account(call)
        form = call.arguments()
        form.allow(_FILTERS)
        page = pages.page_of(form)
        contains = _part(form)
        # Every number here is Twilio's own and none is in beta, so that these filters take all or nothing.
        is_any = boolean(form, "Beta") is not True and choice(form, "Origin", ("twilio", "hosted")) != "hosted"
        found: list[Number] = []
        if is_any:
            found = await self._engine.read(
                numbers.page,
                call.account.id,
                page.limit,
                page.after,
                backwards=page.backwards,
                skip=page.skip,
                contains=contains,
                name=form.one("FriendlyName") or None,
            )
        path = f"{render.account_path(call.account.id)}/IncomingPhoneNumbers.json"
        return pages.page_reply(
            "incoming_phone_numbers", path, form, page, found, lambda number: number.id, render.number
        )

    async def create(self, call: Call) -> Reply:
        """Buy a number, named or of an area code, and configure it. One that is owned already is configured again: in
        the dev profile it may have become owned by its first use.
        """
        check_account(call)
        form = call.form()
        form.allow(_PURCHASE)
        address, area_code = form.one("PhoneNumber"), form.one("AreaCode")
        if address:
            number = await self._buy(call.account, form, address)
        elif area_code:
            number = await self._buy_in_area(call.account, form, area_code)
        else:
            raise Invalid(21421, "PhoneNumber or AreaCode is required", "PhoneNumber")
        return json_reply(201, render.number(number))

    async def fetch(self, call: Call) -> Reply:
        """One number."""
        check_nothing_asked(call)
        return json_reply(200, render.number(await self._named(call)))

    async def update(self, call: Call) -> Reply:
        """Configure a number. What is not given stays as it is."""
        number = await self._named(call)
        form = call.form()
        form.allow(_CHANGE)
        if form.one("AccountSid") not in (None, f"AC{call.account.id.hex()}"):
            raise Fault("invalid_parameter", "A number cannot be moved to another account", "AccountSid")
        return json_reply(200, render.number(await self._numbers.change(configured(number, form, self._urls))))

    async def delete(self, call: Call) -> Reply:
        """Release a number."""
        check_nothing_asked(call)
        await self._numbers.release(await self._named(call))
        return NO_CONTENT

    async def _named(self, call: Call) -> Number:
        check_account(call)
        number = await self._numbers.fetch(call.account.id, resource_id(call, NUMBER))
        if number is None:
            raise Fault("not_found")
        return number

    async def _buy(self, account: Account, form: Form, text: str) -> Number:
        try:
            address = parse_recipient(text, TWILIO if self._sells_any else TWILIO_STRICT)
        except InvalidAddress:
            raise Refused("number_invalid", text) from None
        if address.kind != "e164" or address.channel != "sms":
            raise Refused("number_invalid", text)
        if reason := magic_numbers.PURCHASES.get(address.value):
            raise Refused(reason, address.text)
        if address.value == magic_numbers.GOOD:  # as Twilio's test numbers: told as bought, and not kept
            return configured(self._unnamed(account, address.value), form, self._urls)
        stands = await self._engine.read(numbers.by_address, address.value)
        if stands is None:
            if not self._sells_any:
                raise Refused("number_unavailable", address.text)
            wanted = configured(self._unnamed(account, address.value), form, self._urls)
            stands = await self._numbers.own(wanted)
            if stands.id == wanted.id:
                return stands
        if stands.account_id != account.id:
            raise Refused("number_taken", address.text)
        return await self._numbers.change(configured(stands, form, self._urls))

    async def _buy_in_area(self, account: Account, form: Form, area_code: str) -> Number:
        if _AREA_CODE.fullmatch(area_code) is None:
            raise Invalid(21451, "AreaCode must be a three-digit area code of North America", "AreaCode")
        if self._sells_any:
            for _ in range(_TRIES):
                blank = self._unnamed(account, "")
                line = int.from_bytes(blank.id[-4:]) % 8_000_000 + 2_000_000
                address = f"+1{area_code}{line:07}"
                wanted = configured(replace(blank, address=address, name=render.national(address)), form, self._urls)
                stands = await self._numbers.own(wanted)
                if stands.id == wanted.id:
                    return stands
        raise Invalid(21452, f"No phone numbers found in area code {area_code}", "AreaCode")

    def _unnamed(self, account: Account, address: str) -> Number:
        return replace(self._numbers.blank(account.id, address, "twilio"), name=render.national(address))


def _part(form: Form) -> str | None:
    """The part of a number that is looked for; `*` at an end stands for anything. Raises Fault."""
    text = form.one("PhoneNumber")
    part = text.strip("*").translate(str.maketrans("", "", " ().-")) if text else ""
    if not part:
        return None
    if _PART.fullmatch(part) is None:
        raise Fault("invalid_parameter", "PhoneNumber must be digits, with * at its ends for any others", "PhoneNumber")
    return part
