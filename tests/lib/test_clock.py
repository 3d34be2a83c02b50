"""The system clock speaks microseconds and never runs backwards."""

from parley.lib.clock import Clock, SystemClock
from tests.clock import ManualClock


def test_system_clock_gives_microseconds_of_this_century() -> None:
    clock: Clock = SystemClock()
    assert 1_600_000_000_000_000 < clock.now() < 4_000_000_000_000_000
    assert clock.monotonic() <= clock.monotonic()


def test_manual_clock_is_a_clock() -> None:
    clock = ManualClock(at_us=5)
    as_clock: Clock = clock
    clock.advance(1.5)
    assert (as_clock.now(), as_clock.monotonic()) == (1_500_005, 1.5)
    clock.set(7)
    assert (as_clock.now(), as_clock.monotonic()) == (7, 1.5)
