"""The same to many, ten a second at most, and what became of each."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from space import RefusedError, Space


@dataclass(frozen=True)
class Outcome:
    """A message's id, or why there is none."""

    phone: str
    id: str | None = None
    error: str | None = None


class RateLimit:
    """Lets `most` pass in any second."""

    def __init__(
        self, most: int, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._times: deque[float] = deque(maxlen=most)
        self._now, self._sleep = now, sleep

    def wait(self) -> None:
        """Return when the next one may pass."""
        if len(self._times) == self._times.maxlen and (rest := self._times[0] + 1 - self._now()) > 0:
            self._sleep(rest)
        self._times.append(self._now())


def send_all(space: Space, sender: str, body: str, phones: Iterable[str], limit: RateLimit) -> list[Outcome]:
    """Send to each phone once. One that is refused keeps no other from getting theirs."""
    outcomes = []
    for phone in dict.fromkeys(phones):
        limit.wait()
        try:
            outcomes.append(Outcome(phone, id=space.send(sender, phone, body)))
        except (RefusedError, OSError) as problem:
            outcomes.append(Outcome(phone, error=getattr(problem, "code", "unreachable")))
    return outcomes
