"""Quiet hours over the days on which clocks are set, held against a walk minute by minute."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.core import quiet_hours
from parley.lib.time_zones import time_zones
from parley.model.service import QuietHours

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NIGHT = QuietHours("21:00", "08:00")

ZONES = (
    "America/New_York",
    "America/St_Johns",
    "America/Havana",  # set at midnight
    "America/Santiago",
    "Asia/Beirut",  # set at midnight
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # by half an hour
    "Australia/Sydney",
    "Europe/London",
    "Pacific/Apia",
    "Pacific/Honolulu",
    "UTC",
)


def us(zone: str, text: str, fold: int = 0) -> int:
    """Microseconds of a local time."""
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return round(local.timestamp()) * 1_000_000


def local(at: int, zone: ZoneInfo) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(zone)


def is_quiet(hours: QuietHours, at: int, zone: ZoneInfo) -> bool:
    """By the clock on the wall, as people read it."""
    now = local(at, zone).strftime("%H:%M")
    if hours.start < hours.end:
        return hours.start <= now < hours.end
    return now >= hours.start or now < hours.end


def clock_changes(zone: str) -> list[int]:
    """When a zone's clocks are set within two years, to the hour."""
    begin = us("UTC", "2025-01-01T00:00")
    hours = [begin + n * HOUR for n in range(24 * 730)]
    offsets = [local(at, ZoneInfo(zone)).utcoffset() for at in hours]
    return [at for at, before, after in zip(hours, offsets, offsets[1:], strict=False) if before != after]


CHANGES = {zone: clock_changes(zone) or [us("UTC", "2025-06-01T00:00")] for zone in ZONES}
TIMES = st.integers(0, 24 * 60 - 1)
HOURS = st.tuples(TIMES, st.integers(1, quiet_hours.MOST_MINUTES)).map(
    lambda drawn: QuietHours(_spelt(drawn[0]), _spelt(sum(drawn)))
)
MOMENTS = st.builds(
    lambda change, minutes, rest: change + minutes * MINUTE + rest,
    st.sampled_from(ZONES).flatmap(lambda zone: st.sampled_from(CHANGES[zone])),
    st.integers(-36 * 60, 36 * 60),
    st.sampled_from((0, 0, 1, MINUTE - 1)),
)
NAMES = st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True)


def _spelt(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


@given(HOURS, NAMES, MOMENTS)
def test_a_message_goes_at_the_first_moment_that_is_quiet_nowhere(hours: QuietHours, names: list[str], at: int) -> None:
    zones = [ZoneInfo(name) for name in names]
    freed = quiet_hours.free_at(hours, zones, at)

    assert at <= freed <= at + DAY
    whole = at + -at % MINUTE
    minutes = [at, *range(whole, at + DAY + 1, MINUTE)]
    first = next((m for m in minutes if not any(is_quiet(hours, m, zone) for zone in zones)), None)
    if first is not None:
        assert freed == first
    else:  # it is never quiet nowhere: then where the fewest are disturbed
        fewest = min(sum(is_quiet(hours, m, zone) for zone in zones) for m in minutes[1:])
        assert sum(is_quiet(hours, freed, zone) for zone in zones) == fewest


def test_an_end_that_the_clocks_jump_over_is_where_they_jump_to() -> None:
    zone = ZoneInfo("America/New_York")  # 2025-03-09: from 02:00 to 03:00
    freed = quiet_hours.free_at(QuietHours("22:00", "02:30"), [zone], us(zone.key, "2025-03-09T00:15"))
    assert local(freed, zone).isoformat() == "2025-03-09T03:00:00-04:00"


def test_an_end_that_comes_twice_frees_between_and_again() -> None:
    zone = ZoneInfo("America/New_York")  # 2025-11-02: from 02:00 back to 01:00
    hours = QuietHours("22:00", "01:30")
    first = quiet_hours.free_at(hours, [zone], us(zone.key, "2025-11-02T01:10"))
    assert local(first, zone).isoformat() == "2025-11-02T01:30:00-04:00"
    again = quiet_hours.free_at(hours, [zone], us(zone.key, "2025-11-02T01:10", fold=1))
    assert local(again, zone).isoformat() == "2025-11-02T01:30:00-05:00"


@pytest.mark.parametrize(
    ("phone", "at", "until"),
    [
        ("+12125550100", "2025-06-01T11:59", "2025-06-01T12:00"),  # New York wakes at 08:00 EDT
        ("+12125550100", "2025-06-01T12:00", "2025-06-01T12:00"),
        ("+13125550100", "2025-06-01T12:00", "2025-06-01T13:00"),  # Chicago an hour later
        ("+14155550100", "2025-12-01T15:00", "2025-12-01T16:00"),  # San Francisco in winter
        ("+447911123456", "2025-06-01T20:30", "2025-06-02T07:00"),  # London sleeps at 21:00 BST
        ("+61412345678", "2025-06-01T22:00", "2025-06-02T01:30"),  # the last Australian to wake is on the Cocos Islands
        ("+881612345678", "2025-06-01T07:59", "2025-06-01T08:00"),  # a satellite's is UTC
    ],
)
def test_hours_are_those_of_the_recipient(phone: str, at: str, until: str) -> None:
    freed = quiet_hours.free_at(NIGHT, time_zones(phone), us("UTC", at))
    assert local(freed, ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M") == until


def test_a_number_that_may_be_anywhere_is_not_held_for_ever() -> None:
    zones = time_zones("+15557000001")
    assert len(zones) > 20
    at = us("UTC", "2025-06-01T00:00")
    for hour in range(24):
        assert quiet_hours.free_at(NIGHT, zones, at + hour * HOUR) <= at + hour * HOUR + DAY


@pytest.mark.parametrize("text", ["", "8:00", "24:00", "12:60", "12-00", "0800", "٠٨:00", "08:00:00"])
def test_times_are_spelt_in_one_way(text: str) -> None:
    assert quiet_hours.minutes(text) is None
