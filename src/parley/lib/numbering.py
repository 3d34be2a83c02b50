"""Numbers that a country could assign, made from its numbering plan: always the same, in an order of no meaning."""

import hashlib
from array import array
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Literal

import msgspec
import phonenumbers
from msgspec.structs import replace
from phonenumbers import PhoneNumber, PhoneNumberType

from parley.lib import phone
from parley.lib.phone import Place

Kind = Literal["local", "mobile", "toll_free"]
"""Local numbers are those of a place, and all those of countries whose mobile numbers look no different."""

_NANP: Final = 1
_TYPES: Final[dict[Kind, tuple[int, ...]]] = {
    "local": (PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE),
    "mobile": (PhoneNumberType.MOBILE,),
    "toll_free": (PhoneNumberType.TOLL_FREE,),
}
_OF_AREA: Final = 10
"""Numbers of an area code beside those of its exchanges."""
_OF_COUNTRY: Final = 400
"""Numbers of one kind, outside North America."""
_TRIES: Final = 10 * _OF_COUNTRY
_VARIED: Final = 6
"""Digits in which those differ, at most."""
_OF_TOLL_FREE: Final = 300
_FILLINGS: Final = 50
_AREAS_END: Final = 10_000
"""Prefixes below it are calling code and area code."""


class Made(msgspec.Struct, frozen=True):
    """Numbers as their digits, calling code first, and beside each the index of its place among `names`."""

    digits: "array[int]"
    places: "array[int]"
    names: tuple[Place, ...]


def kind_of(e164: str) -> Kind:
    """Which kind of number this is."""
    if e164.startswith("+1"):
        return "toll_free" if phone.is_toll_free(e164) else "local"
    line = phone.line_type(e164)
    return "toll_free" if line == "toll_free" else "mobile" if line == "mobile" else "local"


@lru_cache(maxsize=256)
def kinds_of(country: str) -> tuple[Kind, ...]:
    """The kinds of numbers that a country has."""
    if phonenumbers.country_code_for_region(country) == _NANP:
        return "local", "toll_free"
    return tuple(kind for kind in _TYPES if _example(country, kind) is not None)


@lru_cache(maxsize=64)
def made(country: str, kind: Kind) -> Made:
    """The numbers of an ISO 3166-1 country; none where it has none of that kind. Takes up to half a second once."""
    found: Iterator[tuple[int, Place]]
    if kind == "local" and phonenumbers.country_code_for_region(country) == _NANP:
        found = _of_places(country)
    else:
        found = ((digits, Place(country=country)) for digits in _of_plan(country, kind))
    names: dict[Place, int] = {}
    unique = {digits: names.setdefault(place, len(names)) for digits, place in found}
    mixed = sorted(unique, key=lambda digits: _hash(f"order {digits}"))
    return Made(array("Q", mixed), array("H", [unique[digits] for digits in mixed]), tuple(names))


def _of_places(country: str) -> Iterator[tuple[int, Place]]:
    """One number of each exchange that has a place, and some of each area code."""
    for prefix, place in phone.nanp_prefixes():
        if phone.region(f"+{prefix}") != country:
            continue
        is_area = prefix < _AREAS_END
        for n in range(_OF_AREA if is_area else 1):
            for digits in _filled(prefix, n):
                # What is made from an area code alone may fall into an exchange whose place is known.
                yield digits, phone.place(f"+{digits}") if is_area else replace(place, country=country)


def _toll_free() -> Iterator[int]:
    for code in phone.TOLL_FREE_CODES:
        for n in range(_OF_TOLL_FREE):
            yield from _filled(int(f"1{code}"), n)


def _filled(prefix: int, n: int) -> Iterator[int]:
    """A whole number of North America that begins so, unless its exchange would be one that is never assigned."""
    for attempt in range(_FILLINGS):
        rest = f"{_hash(f'{prefix} {n} {attempt}') % 10**10:010}"
        digits = f"{prefix}{rest}"[:11]
        if digits[4] not in "01" and digits[5:7] != "11" and digits[4:7] != "555":
            yield int(digits)
            return


def _of_plan(country: str, kind: Kind) -> Iterator[int]:
    """Numbers that differ from the plan's example in their last digits, and are as valid."""
    if phonenumbers.country_code_for_region(country) == _NANP:
        yield from _toll_free() if kind == "toll_free" else ()
        return
    example = _example(country, kind)
    if example is None:
        return
    text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    varied = min(_VARIED, len(text) - 6)
    left = _OF_COUNTRY
    for n in range(_TRIES):
        if left == 0:
            return
        candidate = f"{text[:-varied]}{_hash(f'{text} {n}') % 10**varied:0{varied}}"
        number = phonenumbers.parse(candidate)
        is_right = phonenumbers.is_valid_number_for_region(number, country)
        if is_right and phonenumbers.number_type(number) in _TYPES[kind]:
            left -= 1
            yield int(candidate[1:])


def _example(country: str, kind: Kind) -> PhoneNumber | None:
    found = (phonenumbers.example_number_for_type(country, type_) for type_ in _TYPES[kind])
    # Where mobile numbers look like others, their example is one of both.
    return next((each for each in found if each and phonenumbers.number_type(each) in _TYPES[kind]), None)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
