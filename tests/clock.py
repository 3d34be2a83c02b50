"""Clocks that tests turn by hand."""

from parley.lib.clock import SystemClock


class ManualClock:
    """Stands still until told otherwise; `now` and `monotonic` advance together, only `now` can be set back."""

    def __init__(self, at_us: int = 1_750_000_000_000_000) -> None:
        self._now = at_us
        self._monotonic_us = 0

    def now(self) -> int:
        """Wall time in microseconds since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """Seconds since this clock was made, as far as it was advanced."""
        return self._monotonic_us / 1_000_000

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        step = round(seconds * 1_000_000)
        if step < 0:
            raise ValueError("time does not pass backwards; use set() to step the wall clock")
        self._now += step
        self._monotonic_us += step

    def set(self, at_us: int) -> None:
        """Step the wall clock, forwards or back, as an operator or NTP would."""
        self._now = at_us


class AheadClock:
    """The host's clock, which a test may set ahead."""

    def __init__(self) -> None:
        self._clock, self.ahead_s = SystemClock(), 0

    def now(self) -> int:
        return self._clock.now() + self.ahead_s * 1_000_000

    def monotonic(self) -> float:
        return self._clock.monotonic() + self.ahead_s
