"""Where a phone's owner looks at a clock: the time zones that an E.164 number may be in, from phonenumbers."""

from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone

_UNKNOWN = timezone.UNKNOWN_TIMEZONE


@lru_cache(maxsize=16_384)
def time_zones(e164: str) -> tuple[ZoneInfo, ...]:
    """All zones in which a number may be, at least one. A number that belongs to no place (satellite phones) is in UTC.

    A number whose digits name no area, as most mobiles outside North America, may be anywhere in its country; one that
    is not assigned to anybody, such as +1 555, anywhere that its calling code reaches.
    """
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return (ZoneInfo("UTC"),)
    names = timezone.time_zones_for_number(number)
    if _UNKNOWN in names:
        names = timezone.time_zones_for_geographical_number(number)
    return tuple(ZoneInfo("UTC" if name == _UNKNOWN else name) for name in names)
