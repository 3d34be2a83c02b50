"""Time, as everything above this layer sees it: injected, so that tests turn it by hand."""

import time
from typing import Protocol


class Clock(Protocol):
    """What the rest of Parley asks of time."""

    def now(self) -> int:
        """Wall time in microseconds since the epoch, UTC. May step back when the host's clock is set."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary origin that never run backwards; for durations and deadlines only."""
        ...


class SystemClock:
    """The host's own clock."""

    __slots__ = ()

    def now(self) -> int:
        """Wall time in microseconds since the epoch, UTC."""
        return time.time_ns() // 1000

    def monotonic(self) -> float:
        """Seconds from an arbitrary origin that never run backwards."""
        return time.monotonic()
