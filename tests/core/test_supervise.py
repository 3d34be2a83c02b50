"""A loop that fails starts again, is told of, and is forgiven once it runs."""

import asyncio

from parley.core.backoff import Backoff
from parley.core.supervise import Supervisor
from parley.lib.randomness import SystemRandomness

AT_ONCE = Backoff(SystemRandomness(), first_s=0.0, most_s=0.0)
NEVER_S = 3600.0


class Loop:
    """A loop that fails at its first run, and then runs until it is let go."""

    def __init__(self) -> None:
        self.is_again = asyncio.Event()
        self.goes = asyncio.Event()
        self._runs = 0

    async def run(self) -> None:
        self._runs += 1
        if self._runs == 1:
            raise ValueError("out of order")
        self.is_again.set()
        await self.goes.wait()


async def test_a_loop_that_failed_runs_again_and_is_told_of() -> None:
    supervisor, loop = Supervisor(AT_ONCE, well_s=NEVER_S), Loop()
    supervisor.start("claim", loop.run)
    await loop.is_again.wait()
    assert supervisor.fault() == "claim: ValueError('out of order')"
    loop.goes.set()
    await supervisor.ended()
    assert supervisor.fault() is None


async def test_a_loop_that_has_run_for_a_while_is_well_again() -> None:
    """Else one fault would keep a node from being ready until somebody starts it anew."""
    supervisor, loop = Supervisor(AT_ONCE, well_s=0.0), Loop()
    supervisor.start("claim", loop.run)
    await loop.is_again.wait()
    later = asyncio.Event()
    asyncio.get_running_loop().call_later(0.0, later.set)  # timers of one loop go off in their order
    await later.wait()
    assert supervisor.fault() is None
    loop.goes.set()
    await supervisor.ended()


async def test_what_does_not_return_is_ended() -> None:
    supervisor, loop = Supervisor(AT_ONCE), Loop()
    supervisor.start("claim", loop.run)
    await loop.is_again.wait()
    supervisor.cancel()
    await supervisor.ended()
