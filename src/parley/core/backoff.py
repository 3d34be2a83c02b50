"""How long to wait before trying again: exponential with jitter, so that what failed together returns apart."""

import asyncio
from collections.abc import Callable
from typing import Final

FIRST_S: Final = 1.0
MOST_S: Final = 60.0


class Backoff:
    """Delays by attempt. `random` gives floats in [0, 1)."""

    def __init__(self, random: Callable[[], float], first_s: float = FIRST_S, most_s: float = MOST_S) -> None:
        self._random = random
        self._first_s = first_s
        self._most_s = most_s

    def delay_us(self, attempt: int) -> int:
        """Microseconds before the attempt after the `attempt`-th (1 is the first). Half is certain, half is chance."""
        ceiling = min(self._most_s, self._first_s * 2.0 ** min(attempt - 1, 30))
        return round(ceiling * (0.5 + self._random() / 2) * 1_000_000)

    async def wait(self, attempt: int) -> None:
        """Wait that long."""
        await asyncio.sleep(self.delay_us(attempt) / 1_000_000)
