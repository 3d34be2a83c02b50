"""Numbers for sale. Source: twilio.com/docs/phone-numbers/api/availablephonenumberlocal-resource and its siblings."""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, Final

from parley.api.http.decode import Form
from parley.api.http.endpoint import Call, Handler, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.http.paging import whole_number
from parley.api.twilio import pages, render
from parley.api.twilio.incoming_phone_numbers import KINDS
from parley.api.twilio.parameters import boolean
from parley.api.twilio.paths import check_account, check_nothing_asked
from parley.api.twilio.problems import Invalid
from parley.core.inventory import COUNTRIES, Inventory, Offer, Wanted
from parley.lib.countries import names
from parley.lib.numbering import Kind, kinds_of

_FLAGS: Final = ("ExcludeAllAddressRequired", "ExcludeLocalAddressRequired", "ExcludeForeignAddressRequired", "Beta")
"""No number here needs an address or is in beta: whatever these exclude, nothing is."""
_CAPABILITIES: Final = ("VoiceEnabled", "SmsEnabled", "MmsEnabled", "FaxEnabled")
_UNKNOWN: Final = ("NearLatLong", "InPostalCode", "InRateCenter", "InLata")
"""Nothing here knows these of a number."""
_PARAMETERS: Final = pages.PARAMETERS | {
    *_FLAGS,
    *_CAPABILITIES,
    *_UNKNOWN,
    "AreaCode",
    "Contains",
    "Distance",
    "InLocality",
    "InRegion",
    "NearNumber",
}
_PATTERN: Final = re.compile(r"\+?[0-9A-Za-z*%]+\$?", re.ASCII)
_AREA_CODE: Final = re.compile(r"[2-9][0-9]{2}", re.ASCII)
_NEAR: Final = re.compile(r"\+?1([2-9][0-9]{2})[0-9]{7}", re.ASCII)
_KEYPAD: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
_LEAST, _MOST, _LEAST_KNOWN = 2, 16, 2
_MOST_MILES: Final = 500


class AvailableNumbers:
    """The operations on numbers for sale."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    async def countries(self, call: Call) -> Reply:
        """All countries that have numbers for sale."""
        check_account(call)
        form = call.arguments()
        form.allow(pages.PARAMETERS)
        _page(form)  # there is one page, whichever is asked for
        path = f"{render.account_path(call.account.id)}/AvailablePhoneNumbers"
        found = await asyncio.to_thread(lambda: [_country_resource(path, code) for code in COUNTRIES])
        return json_reply(200, {"countries": found, "uri": f"{path}.json"})

    async def country(self, call: Call) -> Reply:
        """One country, and which kinds of numbers it has."""
        check_account(call)
        check_nothing_asked(call)
        path = f"{render.account_path(call.account.id)}/AvailablePhoneNumbers"
        return json_reply(200, _country_resource(path, _country(call)))

    def list(self, kind: Kind) -> Handler:
        """The operation that lists a country's numbers of one kind."""

        async def serve(call: Call) -> Reply:
            check_account(call)
            form = call.arguments()
            form.allow(_PARAMETERS)
            page = _page(form)
            wanted = _wanted(_country(call), kind, form)
            found = [] if wanted is None else await self._inventory.search(wanted, page.limit, page.number * page.size)
            return _reply(f"{_path(call, kind)}.json", form, page, found)

        return serve


def _page(form: Form) -> pages.Page:
    """The page that is asked for, by its number alone: what is for sale has no ids to go by. Raises Fault."""
    page = pages.page_of(form)
    if page.after is not None:
        raise pages.not_ours()
    return page


def _country_resource(path: str, code: str) -> dict[str, Any]:
    return {
        "country_code": code,
        "country": names()[code],
        "beta": False,
        "uri": f"{path}/{code}.json",
        "subresource_uris": {kind: f"{path}/{code}/{KINDS[kind]}.json" for kind in kinds_of(code)},
    }


def _path(call: Call, kind: Kind) -> str:
    """Where a country's numbers of one kind are listed, without `.json`."""
    return f"{render.account_path(call.account.id)}/AvailablePhoneNumbers/{_country(call)}/{KINDS[kind]}"


def _country(call: Call) -> str:
    code = call.path["CountryCode"].upper()
    if code not in COUNTRIES:
        raise Fault("not_found")
    return code


def _wanted(country: str, kind: Kind, form: Form) -> Wanted | None:
    """What the parameters look for; None for what no number here has."""
    for name in _UNKNOWN:
        if form.one(name):
            raise Fault("invalid_parameter", f"{name} is not supported: it is not known of the numbers here", name)
    for name in _FLAGS:
        boolean(form, name)
    voice, sms, mms, fax = (boolean(form, name) for name in _CAPABILITIES)
    whole_number(form.one("Distance"), "Distance", 0, 0, _MOST_MILES)
    has_mms = country in ("US", "CA")
    if voice is False or sms is False or fax is True or mms not in (None, has_mms):
        return None
    return Wanted(
        country=country,
        kind=kind,
        contains=_contains(form),
        area_code=_area_code(form, country),
        region=form.one("InRegion") or None,
        locality=form.one("InLocality") or None,
    )


def _area_code(form: Form, country: str) -> int | None:
    text = form.one("AreaCode")
    if text:
        if country not in ("US", "CA") or _AREA_CODE.fullmatch(text) is None:
            raise Invalid(21451, "AreaCode must be a three-digit area code of the US or Canada", "AreaCode")
        return int(text)
    near = form.one("NearNumber")
    if not near:
        return None
    number = _NEAR.fullmatch(near.translate(str.maketrans("", "", " ().-")))
    if country not in ("US", "CA") or number is None:
        raise Fault("invalid_parameter", "NearNumber must be a number of the US or Canada", "NearNumber")
    return int(number[1])


def _contains(form: Form) -> re.Pattern[str] | None:
    """The pattern that Contains spells: letters stand for their keys, `*` for one digit, `%` for any number of them,
    `+` and `$` for the ends of the number. Raises Fault.
    """
    text = form.one("Contains")
    if not text:
        return None
    known = sum(character.isalnum() for character in text)
    has_wildcard = "*" in text or "%" in text
    if not _LEAST <= len(text) <= _MOST or _PATTERN.fullmatch(text) is None or (has_wildcard and known < _LEAST_KNOWN):
        raise Fault("invalid_parameter", "Contains must be 2 to 16 digits, letters, *, %, + and $", "Contains")
    pattern = re.sub(r"%+", "%", text).upper().translate(_KEYPAD)
    pattern = pattern.replace("+", "^").replace("*", "[0-9]").replace("%", "[0-9]*")
    return re.compile(pattern)


def _reply(path: str, form: Form, page: pages.Page, found: Sequence[Offer]) -> Reply:
    """A page as JSON."""
    number, has_more = page.number, len(found) > page.size
    around = pages.Around(
        first=pages.address(path, form, page, 0),
        itself=pages.address(path, form, page, number),
        following=pages.address(path, form, page, number + 1) if has_more else None,
        previous=pages.address(path, form, page, number - 1) if number else None,
    )
    return pages.shown("available_phone_numbers", page, around, [_offer(each) for each in found[: page.size]])


def _offer(offer: Offer) -> dict[str, Any]:
    city = offer.place.city
    return {
        "friendly_name": render.national(offer.address),
        "phone_number": offer.address,
        "lata": None,
        "rate_center": None,
        "latitude": None,
        "longitude": None,
        "locality": city.title() if city else None,
        "region": offer.place.state or None,
        "postal_code": None,
        "iso_country": offer.country,
        "address_requirements": "none",
        "beta": False,
        "capabilities": {"voice": True, "sms": True, "mms": offer.can_mms, "fax": False},
    }
