"""Watch the node itself: whether its event loop keeps time, and whether each loop that has work gets on with it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog

from parley.core.metrics import Metrics
from parley.lib.clock import Clock

log = structlog.get_logger(__name__)

Probe = Callable[[], tuple[int, bool]]
"""How often a loop has turned so far, and whether work waits for its next turn."""

EVERY_S: Final = 0.5
STALLED_S: Final = 1.0
"""An event loop that is so much too late was stalled: something blocked it."""
REMEMBERED_S: Final = 15.0
"""How long a stall is told: who asks every few seconds should hear of it."""
PROGRESS_S: Final = 60.0
"""A loop that has work and did not turn for so long is stuck."""


class Watch:
    """Looks twice a second. `probes` are named after their loops; a loop without work is never stuck."""

    def __init__(
        self,
        clock: Clock,
        metrics: Metrics,
        probes: Mapping[str, Probe],
        sleep: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._probes = probes
        self._sleep = sleep or self._pause
        self._turns: dict[str, int] = {}
        self._lags: list[tuple[float, float]] = []
        self._stalled: tuple[float, float] | None = None
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End at once: a node that stops has nothing to wait for here."""
        self._stopping.set()

    def trouble(self) -> str | None:
        """The last stall in a sentence, while it is recent."""
        if self._stalled is None or self._clock.monotonic() > self._stalled[0] + REMEMBERED_S:
            return None
        return f"the event loop was blocked for {self._stalled[1]:.1f} s"

    async def run(self) -> None:
        """Look, until stopped."""
        while not self._stopping.is_set():
            await self.turn()

    async def turn(self) -> None:
        """Look once."""
        before = self._clock.monotonic()
        await self._sleep(EVERY_S)
        now = self._clock.monotonic()
        self._note_lag(now, max(0.0, now - before - EVERY_S))
        self._look()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    def _note_lag(self, now: float, lag_s: float) -> None:
        if lag_s >= STALLED_S:
            self._stalled = (now, lag_s)
            log.warning("the event loop was blocked", seconds=round(lag_s, 3))
        self._lags = [(at, lag) for at, lag in self._lags if now - at <= REMEMBERED_S and lag > lag_s]
        self._lags.append((now, lag_s))
        self._metrics.event_loop_lag.set(self._lags[0][1])  # the worst of late: they are kept in falling order

    def _look(self) -> None:
        for name, probe in self._probes.items():
            turns, has_work = probe()
            if turns != self._turns.get(name) or not has_work:
                self._turns[name] = turns
                self._metrics.progressed(name, self._clock, PROGRESS_S)
