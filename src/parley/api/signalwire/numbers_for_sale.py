"""Numbers for sale. Source: SignalWire's search-available-phone-numbers page."""

import re
from typing import Any, Final

from parley.api.http.decode import Form
from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.paging import whole_number
from parley.api.signalwire import pages
from parley.api.signalwire.phone_numbers import PHONE_NUMBERS
from parley.api.signalwire.problems import Invalid, Problem
from parley.core.inventory import Inventory, Offer, Wanted, area_of
from parley.lib.numbering import Kind

SEARCH: Final = f"{PHONE_NUMBERS}/search"
PARAMETERS: Final = frozenset(
    {"areacode", "number_type", "starts_with", "contains", "ends_with", "max_results", "region", "city"}
)
_KINDS: Final[dict[str, Kind]] = {"local": "local", "toll-free": "toll_free"}
_AREA: Final = re.compile(r"[2-9][0-9]{2}", re.ASCII)
_PART: Final = re.compile(r"[0-9]{3,7}", re.ASCII)
_USUAL, _MOST = 50, 100


class NumbersForSale:
    """The operation on numbers that nobody owns yet, all of North America."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    async def search(self, call: Call) -> Reply:
        """GET: what is for sale. The same search finds the same, until numbers are bought."""
        arguments = call.arguments()
        pages.allow(arguments, PARAMETERS)
        most = whole_number(arguments.one("max_results"), "max_results", _USUAL, 1, _MOST)
        wanted = _wanted(arguments)
        found = [] if wanted is None else await self._inventory.search(wanted, most)
        link = f"{SEARCH}?{call.query.decode('latin-1')}" if call.query else SEARCH
        return json_reply(200, {"links": {"self": link, "first": link}, "data": [_offer(offer) for offer in found]})


def _wanted(arguments: Form) -> Wanted | None:
    """What to look for; None where nothing is sold. Raises Invalid."""
    problems: list[Problem] = []
    kind, area = arguments.one("number_type") or "local", arguments.one("areacode")
    if kind not in _KINDS:
        problems.append(Problem("invalid_parameter", "number_type must be local or toll-free", "number_type"))
    if area and _AREA.fullmatch(area) is None:
        problems.append(Problem("invalid_parameter", "areacode must be three digits", "areacode"))
    parts = {name: arguments.one(name) for name in ("starts_with", "contains", "ends_with")}
    for name, part in parts.items():
        if part and _PART.fullmatch(part) is None:
            problems.append(Problem("invalid_parameter", f"{name} must be 3 to 7 digits", name))
    if problems:
        raise Invalid(problems)
    of_area = area_of(int(area)) if area else Wanted(country="US", kind=_KINDS[kind])
    if of_area is None or (arguments.one("number_type") and of_area.kind != _KINDS[kind]):
        return None
    pattern = f"^1(?={parts['starts_with'] or ''})(?=.*{parts['contains'] or ''}).*{parts['ends_with'] or ''}$"
    return Wanted(
        country=of_area.country,
        kind=of_area.kind,
        contains=re.compile(pattern) if any(parts.values()) else None,
        area_code=of_area.area_code,
        region=arguments.one("region") or None,
        locality=arguments.one("city") or None,
    )


def _offer(offer: Offer) -> dict[str, Any]:
    return {
        "number": offer.address,
        "region": offer.place.state or None,
        "city": offer.place.city or None,
        "rate_center": offer.place.city or None,
        "lata": None,
        "capabilities": {"voice": False, "sms": True, "mms": offer.can_mms, "fax": False},
    }
