"""Where numbers may be, by the time zones that phonenumbers knows."""

from zoneinfo import ZoneInfo

import pytest
from phonenumbers.timezone import UNKNOWN_TIMEZONE
from phonenumbers.tzdata import TIMEZONE_DATA

from parley.lib.time_zones import time_zones


@pytest.mark.parametrize(
    ("number", "names"),
    [
        ("+12125550100", ["America/New_York"]),
        ("+447911123456", ["Europe/Guernsey", "Europe/Isle_of_Man", "Europe/Jersey", "Europe/London"]),
        ("+34612345678", ["Atlantic/Canary", "Europe/Madrid"]),
        ("+881612345678", ["UTC"]),  # a satellite's
        ("+999", ["UTC"]),
        ("12345", ["UTC"]),
    ],
)
def test_a_number_is_in_the_zones_that_its_digits_leave_open(number: str, names: list[str]) -> None:
    assert [zone.key for zone in time_zones(number)] == names


def test_a_number_that_nobody_has_may_be_anywhere_that_its_calling_code_reaches() -> None:
    assert {"America/New_York", "Pacific/Honolulu"} < {zone.key for zone in time_zones("+15557000001")}


def test_each_zone_that_a_number_may_be_in_has_clocks() -> None:
    names = {name for zones in TIMEZONE_DATA.values() for name in zones} - {UNKNOWN_TIMEZONE}
    assert len(names) > 200
    assert {ZoneInfo(name).key for name in names} == names
