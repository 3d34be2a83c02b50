"""How long to wait before trying again: exponential with jitter, so that what failed together returns apart."""

import asyncio
from typing import Final

from parley.lib.randomness import Randomness, backoff_s

FIRST_S: Final = 1.0
MOST_S: Final = 60.0


class Backoff:
    """Delays by attempt, counted from 1."""

    def __init__(self, randomness: Randomness, first_s: float = FIRST_S, most_s: float = MOST_S) -> None:
        self._randomness = randomness
        self._first_s = first_s
        self._most_s = most_s

    def delay_us(self, attempt: int) -> int:
        """Microseconds before the attempt after the `attempt`-th."""
        return round(backoff_s(attempt, self._first_s, self._most_s, self._randomness) * 1_000_000)

    async def wait(self, attempt: int) -> None:
        """Wait that long."""
        await asyncio.sleep(self.delay_us(attempt) / 1_000_000)
