"""What an E.164 number tells by itself: whether it can exist, its country, its place and its kind of line.

Everything comes from the phonenumbers library. Its geocoder, which costs 140 MB and seconds to import, is not loaded:
the part for the North American Numbering Plan stands in nanp_places.tsv (tools/nanp_places.py writes it).
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Final, Literal

import msgspec
import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType, ValidationResult

LineType = Literal[
    "mobile",
    "landline",
    "fixed_or_mobile",
    "toll_free",
    "premium",
    "shared_cost",
    "voip",
    "personal",
    "pager",
    "uan",
    "voicemail",
    "unknown",
]
"""`fixed_or_mobile` where numbers of both kinds look alike, as in North America."""

_LINE_TYPES: dict[int, LineType] = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "landline",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "uan",
    PhoneNumberType.VOICEMAIL: "voicemail",
}

_BLOCK = 8
"""Characters of a number, with its `+`, that tell Russia from Kazakhstan."""
_SUBSCRIBER = "234567890"
TOLL_FREE_CODES: Final = (800, 833, 844, 855, 866, 877, 888)
"""The area codes of North America of which the called one pays."""
_TOLL_FREE = tuple(f"+1{code}" for code in TOLL_FREE_CODES)

_NO_COUNTRY = "001"
"""What phonenumbers calls the region of satellite phones and other networks that belong to no country."""


class Place(msgspec.Struct, frozen=True):
    """Where a number is from, in capitals as Twilio sends it; '' for what is not known. `country` is ISO 3166-1."""

    city: str = ""
    state: str = ""
    zip: str = ""
    country: str = ""


class _Places(msgspec.Struct, frozen=True):
    """Prefixes in numeric order beside the index of their place: 1 MB where a dictionary of strings takes 6."""

    prefixes: "array[int]"
    indices: "array[int]"
    names: list[tuple[str, str]]


def is_possible(e164: str) -> bool:
    """Whether a number has a length that its country's numbers can have. Says nothing of its being assigned."""
    if e164.startswith("+1"):
        return len(e164) == 12 and e164[2] not in "01"  # no area code begins so
    return _is_possible(e164)


def region(e164: str) -> str | None:
    """The ISO 3166-1 country of a number, or None where there is none (short codes, names, satellite phones).

    A number that is not assigned to anyone belongs to the main country of its calling code, so +1 555 is in the US.
    """
    if e164.startswith("+1"):
        return _nanp_region(e164[2:5])
    if not e164.startswith("+"):
        return None
    regions = _sharing(e164[1:4])
    return regions[0] if len(regions) == 1 else _shared_region(e164, regions[0])


def market(e164: str) -> str | None:
    """The country by which a number is priced, allowed and matched with senders. Cheap: its first digits tell.

    As `region`, but islands and enclaves belong to the country whose calling code they share, as senders and tariffs
    do: Guernsey's +44 7911 is Great Britain's. North America and Kazakhstan share one and nothing else.
    """
    if e164.startswith("+1"):
        return _nanp_region(e164[2:5])
    if e164.startswith("+7"):
        return _of_block(e164[:_BLOCK], len(e164))
    return _sharing(e164[1:4])[0] if e164.startswith("+") else None


@lru_cache(maxsize=1024)
def _of_block(block: str, length: int) -> str | None:
    return region(block + _SUBSCRIBER[: length - len(block)])


@lru_cache(maxsize=1024)
def _sharing(digits: str) -> Sequence[str | None]:
    """The countries that share the calling code with which some digits begin, the main one first; None where none."""
    for end in (2, 3, 1):
        if regions := phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(_calling_code(digits[:end])):
            return (None,) if regions[0] == _NO_COUNTRY else regions
    return (None,)


def calling_code(country: str) -> str:
    """The calling code of an ISO 3166-1 country, with its `+`: all of North America has +1. Just `+` where none is."""
    return f"+{phonenumbers.country_code_for_region(country) or ''}"


def is_toll_free(e164: str) -> bool:
    """Whether a number is toll-free in North America, assigned or not."""
    return e164.startswith(_TOLL_FREE)


@lru_cache(maxsize=4096)
def place(e164: str) -> Place:
    """The city, state and country of a number. City and state are known in North America only, the ZIP never."""
    country = region(e164) or ""
    digits = e164[1:]
    if not e164.startswith("+1") or not digits.isdecimal():
        return Place(country=country)
    known = _places()
    for end in range(len(digits), 3, -1):
        prefix = int(digits[:end])
        at = bisect_left(known.prefixes, prefix)
        if at < len(known.prefixes) and known.prefixes[at] == prefix:
            city, state = known.names[known.indices[at]]
            return Place(city=city, state=state, country=country)
    return Place(country=country)


def nanp_prefixes() -> Iterator[tuple[int, Place]]:
    """Every prefix of North America whose place is known, calling code first, in numeric order."""
    known = _places()
    for prefix, index in zip(known.prefixes, known.indices, strict=True):
        city, state = known.names[index]
        yield prefix, Place(city=city, state=state)


@lru_cache(maxsize=16_384)
def line_type(e164: str) -> LineType:
    """The kind of line, as far as the digits tell."""
    number = _parse(e164)
    return "unknown" if number is None else _LINE_TYPES.get(phonenumbers.number_type(number), "unknown")


@lru_cache(maxsize=16_384)
def _is_possible(e164: str) -> bool:
    number = _parse(e164)
    # Not is_possible_number, which takes local numbers too: no one can be reached by one behind a calling code.
    return number is not None and phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE


@lru_cache(maxsize=1000)
def _nanp_region(area_code: str) -> str:
    # The library knows no number that is not valid, so ask it for one that is: any subscriber of the area will do.
    number = _parse(f"+1{area_code}2345678")
    return (number and phonenumbers.region_code_for_number(number)) or "US"


@lru_cache(maxsize=16_384)
def _shared_region(e164: str, main: str | None) -> str | None:
    """The country of a number whose calling code several share: +44 is Great Britain, and Jersey, and Guernsey."""
    number = _parse(e164)
    return (number and phonenumbers.region_code_for_number(number)) or main


def _calling_code(digits: str) -> int:
    return int(digits) if digits.isdecimal() else 0  # no country has calling code 0


def _parse(e164: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return None


@lru_cache(maxsize=1)
def _places() -> _Places:
    """The table, read when the first place is asked for."""
    names: list[tuple[str, str]] = []
    found: list[tuple[int, int]] = []
    text = files("parley.lib").joinpath("nanp_places.tsv").read_text("utf-8")
    for index, line in enumerate(text.splitlines()):
        city, state, prefixes = line.split("\t")
        names.append((city, state))
        found.extend((int(prefix), index) for prefix in prefixes.split(" "))
    found.sort()
    return _Places(array("L", [prefix for prefix, _ in found]), array("H", [index for _, index in found]), names)
