"""The inventory: numbers that nobody owns yet and anybody may buy. It is computed, so that every node has the same."""

import asyncio
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

import msgspec

from parley.lib import phone
from parley.lib.numbering import Kind, kind_of, made
from parley.lib.phone import TOLL_FREE_CODES, Place
from parley.store import Engine, numbers

COUNTRIES: Final = (
    "AT", "AU", "BE", "BG", "BR", "CA", "CH", "CL", "CO", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GB", "GR",
    "HK", "HR", "HU", "ID", "IE", "IL", "IN", "IT", "JP", "KR", "LT", "LV", "MX", "MY", "NL", "NO", "NZ", "PH",
    "PL", "PT", "RO", "SE", "SG", "SI", "SK", "TH", "TW", "US", "VN", "ZA",
)  # fmt: skip
"""Where numbers can be had, by their codes of ISO 3166-1."""
_OF_NANP: Final = ("US", "CA")
"""They share toll-free numbers, and MMS works there alone."""
_AT_ONCE: Final = 200
_AREA: Final = 10**7


class Offer(msgspec.Struct, frozen=True):
    """A number for sale."""

    address: str
    country: str
    place: Place
    can_mms: bool


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which numbers to look for. `contains` is searched in a number's digits, calling code first; `region` and
    `locality` are compared in either case, None taking all.
    """

    country: str
    kind: Kind
    contains: re.Pattern[str] | None = None
    area_code: int | None = None
    region: str | None = None
    locality: str | None = None


class Inventory:
    """What is for sale: the numbers of `lib.numbering`, without those that have an owner."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def search(self, wanted: Wanted, limit: int, skip: int = 0) -> list[Offer]:
        """At most `limit` offers behind the first `skip`. The same search finds the same, until numbers are bought."""
        found: list[Offer] = []
        candidates = _matching(wanted)
        while len(found) < skip + limit:
            # A search may go through tens of thousands of numbers, which is not for the event loop.
            some = await asyncio.to_thread(lambda: list(islice(candidates, _AT_ONCE)))
            if not some:
                break
            taken = await self._engine.read(numbers.owned, [offer.address for offer in some])
            found += (offer for offer in some if offer.address not in taken)
        return found[skip : skip + limit]

    async def offer(self, address: str) -> Offer | None:
        """The offer of a number, whether or not somebody owns it by now; None for one that is not of the inventory."""
        country, kind = phone.region(address), kind_of(address)
        if country not in COUNTRIES or not address[1:].isdecimal():
            return None
        wanted = Wanted(country=country, kind=kind, contains=re.compile(f"^{address[1:]}$"))
        return await asyncio.to_thread(lambda: next(_matching(wanted), None))


def area_of(area_code: int) -> Wanted | None:
    """What to look for to have any number of an area code of North America; None where nothing is sold."""
    if area_code in TOLL_FREE_CODES:
        return Wanted(country="US", kind="toll_free", area_code=area_code)
    country = phone.region(f"+1{area_code}2345678")
    return Wanted(country=country, kind="local", area_code=area_code) if country in _OF_NANP else None


def _matching(wanted: Wanted) -> Iterator[Offer]:
    stock = made(wanted.country, wanted.kind)
    region, locality = (text and text.upper() for text in (wanted.region, wanted.locality))
    for digits, index in zip(stock.digits, stock.places, strict=True):
        if wanted.area_code is not None and digits // _AREA - 1000 != wanted.area_code:
            continue
        place = stock.names[index]
        if (region is not None and place.state != region) or (locality is not None and place.city != locality):
            continue
        text = str(digits)
        if wanted.contains is None or wanted.contains.search(text):
            yield Offer(f"+{text}", wanted.country, place, wanted.country in _OF_NANP)
