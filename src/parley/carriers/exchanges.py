"""How much two numbers of this server write to each other: two apps that answer each other would never end."""

from collections import Counter
from typing import Final

from parley.lib.clock import Clock

MOST: Final = 1000
"""Messages between two numbers, both ways together, in one minute."""
_MINUTE_S: Final = 60.0


class Exchanges:
    """What passes between any two numbers, counted minute by minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: Counter[frozenset[str]] = Counter()
        self._ends_at = 0.0

    def takes(self, sender: str, recipient: str) -> bool:
        """Whether one more message goes on to a number of ours; it is counted."""
        now = self._clock.monotonic()
        if now >= self._ends_at:
            self._counts.clear()
            self._ends_at = now + _MINUTE_S
        pair = frozenset((sender, recipient))
        self._counts[pair] += 1
        return self._counts[pair] <= MOST
