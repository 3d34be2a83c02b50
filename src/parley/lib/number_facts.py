"""What a number tells that someone wrote: whether it can be one, of which country, and how it is written properly."""

from typing import Final, Literal

import msgspec
import phonenumbers
from phonenumbers import REGION_CODE_FOR_NON_GEO_ENTITY, NumberParseException, PhoneNumberFormat, ValidationResult

Problem = Literal[
    "TOO_SHORT", "TOO_LONG", "INVALID_BUT_POSSIBLE", "INVALID_COUNTRY_CODE", "INVALID_LENGTH", "NOT_A_NUMBER"
]
"""Why a text is no number that a network may have given to anyone, in the words of Twilio's Lookup:
INVALID_BUT_POSSIBLE has a right length and stands in no range of its country; INVALID_LENGTH is neither too short nor
too long, yet no number there has that length."""

_UNREADABLE: Final[dict[int, Problem]] = {
    NumberParseException.INVALID_COUNTRY_CODE: "INVALID_COUNTRY_CODE",
    NumberParseException.NOT_A_NUMBER: "NOT_A_NUMBER",
    NumberParseException.TOO_SHORT_AFTER_IDD: "TOO_SHORT",
    NumberParseException.TOO_SHORT_NSN: "TOO_SHORT",
    NumberParseException.TOO_LONG: "TOO_LONG",
}
_IMPOSSIBLE: Final[dict[int, Problem]] = {
    ValidationResult.INVALID_COUNTRY_CODE: "INVALID_COUNTRY_CODE",
    ValidationResult.TOO_SHORT: "TOO_SHORT",
    ValidationResult.TOO_LONG: "TOO_LONG",
    ValidationResult.INVALID_LENGTH: "INVALID_LENGTH",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "TOO_SHORT",
}


class NumberFacts(msgspec.Struct, frozen=True):
    """A number as it was understood; None for what could not be."""

    e164: str | None = None
    national: str | None = None
    """As its country writes it: `(415) 555-2671`."""
    calling_code: str | None = None
    country: str | None = None
    """ISO 3166-1; None also for the networks that belong to no country, such as satellite phones."""
    problem: Problem | None = None


def number_facts(text: str, country: str = "US") -> NumberFacts:
    """Understand a number in E.164, or as people of `country` write it."""
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException as error:
        return NumberFacts(problem=_UNREADABLE[error.error_type])
    problem = _IMPOSSIBLE.get(phonenumbers.is_possible_number_with_reason(number))
    if problem is None and not phonenumbers.is_valid_number(number):
        problem = "INVALID_BUT_POSSIBLE"
    region = phonenumbers.region_code_for_number(number)
    return NumberFacts(
        phonenumbers.format_number(number, PhoneNumberFormat.E164),
        phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL),
        str(number.country_code),
        None if region == REGION_CODE_FOR_NON_GEO_ENTITY else region,
        problem,
    )
