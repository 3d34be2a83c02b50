"""The numbers of an account: list, buy, fetch, configure, release.

Source: twilio.com/docs/phone-numbers/api/incomingphonenumber-resource.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from msgspec.structs import replace

from parley.api.http.decode import Form
from parley.api.http.endpoint import NO_CONTENT, Call, Handler, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio import pages, render
from parley.api.twilio.number_settings import PARAMETERS, NumberSettings
from parley.api.twilio.parameters import boolean, choice
from parley.api.twilio.paths import NUMBER, check_account, check_nothing_asked, resource_id
from parley.api.twilio.problems import Invalid
from parley.core import magic_numbers
from parley.core.inventory import Inventory, area_of
from parley.core.numbers import Numbers
from parley.core.refusal import Refused
from parley.lib import ids
from parley.lib.numbering import Kind, kind_of
from parley.model.address import TWILIO_STRICT, InvalidAddress, parse_recipient
from parley.model.number import Number
from parley.store import Engine, numbers

KINDS: Final[dict[Kind, str]] = {"local": "Local", "mobile": "Mobile", "toll_free": "TollFree"}
"""What numbers of one kind alone are listed and bought under."""
_FILTERS: Final = pages.PARAMETERS | {"PhoneNumber", "FriendlyName", "Beta", "Origin"}
_PURCHASE: Final = PARAMETERS | {"PhoneNumber", "AreaCode"}
_CHANGE: Final = PARAMETERS | {"AccountSid"}
_AREA_CODE = re.compile(r"[2-9][0-9]{2}", re.ASCII)
_PART = re.compile(r"\+?[0-9]+", re.ASCII)
_TRIES: Final = 20
PIECE: Final = 1000
"""Numbers that are read at once where only some of them are shown."""


class IncomingPhoneNumbers:
    """The operations on numbers. What the inventory has can be bought; with `sells_any` (the dev profile) every number
    that nobody owns.
    """

    def __init__(
        self, engine: Engine, numbers: Numbers, inventory: Inventory, settings: NumberSettings, *, sells_any: bool
    ) -> None:
        self._engine = engine
        self._numbers = numbers
        self._inventory = inventory
        self._settings = settings
        self._sells_any = sells_any

    async def list(self, call: Call) -> Reply:
        """A page of the account's numbers, newest first."""
        return await self._list(call, None)

    def list_of(self, kind: Kind) -> Handler:
        """The operation that lists numbers of one kind."""
        return lambda call: self._list(call, kind)

    async def _list(self, call: Call, kind: Kind | None) -> Reply:
        check_account(call)
        form = call.arguments()
        form.allow(_FILTERS)
        page = pages.page_of(form)
        contains = _part(form)
        # Every number here is Twilio's own and none is in beta, so that these filters take all or nothing.
        is_any = boolean(form, "Beta") is not True and choice(form, "Origin", ("twilio", "hosted")) != "hosted"
        name = form.one("FriendlyName") or None
        path = f"{render.account_path(call.account.id)}/IncomingPhoneNumbers"
        found: Sequence[Number] = ()
        if is_any and kind is None:
            found = await self._engine.read(
                numbers.page,
                call.account.id,
                page.limit,
                page.after,
                backwards=page.backwards,
                skip=page.skip,
                contains=contains,
                name=name,
                is_short=False,
            )
        elif is_any and kind is not None:
            found = await self._of_kind(call.account.id, page, kind, contains=contains, name=name)
        if kind is not None:
            path = f"{path}/{KINDS[kind]}"
        return pages.page_reply(
            "incoming_phone_numbers", f"{path}.json", form, page, found, _id_of, lambda each: _rendered(each, kind)
        )

    async def _of_kind(
        self, account_id: bytes, page: pages.Page, kind: Kind, *, contains: str | None, name: str | None
    ) -> Sequence[Number]:
        """What a page shows of the numbers of one kind, which no column tells: read by pieces until there is enough."""
        found: list[Number] = []
        after, skip = page.after, page.skip
        while len(found) < page.limit:
            piece = await self._engine.read(
                numbers.page,
                account_id,
                PIECE,
                after,
                backwards=page.backwards,
                contains=contains,
                name=name,
                is_short=False,
                may_be=kind,
            )
            fitting = [each for each in piece if kind_of(each.address) == kind]
            skip, fitting = max(0, skip - len(fitting)), fitting[skip:]
            found = [*fitting, *found] if page.backwards else [*found, *fitting]
            if len(piece) < PIECE:
                break
            after = piece[0 if page.backwards else -1].id
        return found[-page.limit :] if page.backwards else found[: page.limit]

    async def create(self, call: Call) -> Reply:
        """Buy a number, named or of an area code, and configure it. One that is owned already is configured again: in
        the dev profile it may have become owned by its first use.
        """
        check_account(call)
        form = call.form()
        form.allow(_PURCHASE)
        address, area_code = form.one("PhoneNumber"), form.one("AreaCode")
        if call.account.status == "test" and (address or area_code):
            number = await self._pretend(call, form)
        elif address:
            number = await self._buy(call, form, address)
        elif area_code:
            number = await self._buy_in_area(call, form, area_code)
        else:
            raise Invalid(21421, "PhoneNumber or AreaCode is required", "PhoneNumber")
        return json_reply(201, render.number(number))

    def create_of(self, kind: Kind) -> Handler:
        """The operation that buys a number of one kind, which must be named."""

        async def serve(call: Call) -> Reply:
            check_account(call)
            form = call.form()
            if form.one("AreaCode"):
                raise Invalid(21457, "AreaCode is not supported here: name the number", "AreaCode")
            form.allow(_PURCHASE)
            number = await self._buy(call, form, form.one("PhoneNumber") or "", kind)
            return json_reply(201, _rendered(number, kind))

        return serve

    async def fetch(self, call: Call) -> Reply:
        """One number."""
        check_nothing_asked(call)
        return json_reply(200, render.number(await self._named(call)))

    async def update(self, call: Call) -> Reply:
        """Configure a number. What is not given stays as it is."""
        number = await self._named(call)
        form = call.form()
        form.allow(_CHANGE)
        if form.one("AccountSid") not in (None, f"AC{call.account.id.hex()}", ids.to_uuid(call.account.id)):
            raise Fault("invalid_parameter", "A number cannot be moved to another account", "AccountSid")
        wanted = await self._settings.applied(call, number, form)
        return json_reply(200, render.number(await self._numbers.change(number, wanted)))

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

    async def _buy(self, call: Call, form: Form, text: str, kind: Kind | None = None) -> Number:
        try:
            address = parse_recipient(text, TWILIO_STRICT)
        except InvalidAddress:
            raise Refused("number_invalid", text) from None
        if address.kind != "e164" or address.channel != "sms":
            raise Refused("number_invalid", text)
        if reason := magic_numbers.PURCHASES.get(address.value):
            raise Refused(reason, address.text)
        if address.value == magic_numbers.GOOD:  # as Twilio's test numbers: told as bought, and not kept
            return await self._settings.applied(call, self._unnamed(call, address.value), form)
        if kind is not None and kind_of(address.value) != kind:
            raise Invalid(21458, f"PhoneNumber {address.text} is not of the kind that is bought here", "PhoneNumber")
        stands = await self._engine.read(numbers.by_address, address.value)
        if stands is None:
            offer = await self._inventory.offer(address.value)
            if offer is None and not self._sells_any:
                raise Refused("number_unavailable", address.text)
            stands = await self._own(call, form, address.value, can_mms=offer is None or offer.can_mms)
            if stands is not None:
                return stands
            stands = await self._engine.read(numbers.by_address, address.value)
        if stands is None or stands.account_id != call.account.id:
            raise Refused("number_taken", address.text)
        return await self._numbers.change(stands, await self._settings.applied(call, stands, form))

    async def _pretend(self, call: Call, form: Form) -> Number:
        """What test credentials get: the good test number, or that of the good test area, told as bought."""
        address, area_code = form.one("PhoneNumber"), form.one("AreaCode")
        if address and address != magic_numbers.GOOD:
            try:
                parse_recipient(address, TWILIO_STRICT)
            except InvalidAddress:
                raise Refused("number_invalid", address) from None
            raise Refused(magic_numbers.PURCHASES.get(address, "number_unavailable"), address)
        if not address and area_code != magic_numbers.GOOD_AREA:
            raise Invalid(21452, f"No phone numbers found in area code {area_code}", "AreaCode")
        return await self._settings.applied(call, self._unnamed(call, magic_numbers.GOOD), form)

    async def _buy_in_area(self, call: Call, form: Form, area_code: str) -> Number:
        if _AREA_CODE.fullmatch(area_code) is None:
            raise Invalid(21451, "AreaCode must be a three-digit area code of North America", "AreaCode")
        wanted = area_of(int(area_code))
        # More than one, because another may buy the first at this moment.
        for offer in await self._inventory.search(wanted, _TRIES) if wanted is not None else ():
            bought = await self._own(call, form, offer.address, can_mms=offer.can_mms)
            if bought is not None:
                return bought
        raise Invalid(21452, f"No phone numbers found in area code {area_code}", "AreaCode")

    async def _own(self, call: Call, form: Form, address: str, *, can_mms: bool) -> Number | None:
        """The number, configured and bought; None when somebody was first."""
        blank = replace(self._unnamed(call, address), can_mms=int(can_mms))
        wanted = await self._settings.applied(call, blank, form)
        stands = await self._numbers.own(wanted)
        return stands if stands.id == wanted.id else None

    def _unnamed(self, call: Call, address: str) -> Number:
        return replace(self._numbers.blank(call.account.id, address, "twilio"), name=render.national(address))


def _id_of(number: Number) -> bytes:
    return number.id


def _rendered(number: Number, kind: Kind | None) -> dict[str, Any]:
    """A number; among those of one kind its type goes without saying."""
    shown = render.number(number)
    if kind is not None:
        del shown["type"]
    return shown


def _part(form: Form) -> str | None:
    """The part of a number that is looked for; `*` at an end stands for anything. Raises Fault."""
    text = form.one("PhoneNumber")
    part = text.strip("*").translate(str.maketrans("", "", " ().-")) if text else ""
    if not part:
        return None
    if _PART.fullmatch(part) is None:
        raise Fault("invalid_parameter", "PhoneNumber must be digits, with * at its ends for any others", "PhoneNumber")
    return part
