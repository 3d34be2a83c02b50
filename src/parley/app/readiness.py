"""What /readyz asks of a node's parts. Each check says in a sentence what is wrong, or None."""

from collections.abc import Awaitable, Callable

from parley.core.carrier import Carrier
from parley.core.metrics import Metrics
from parley.core.supervise import Supervisor
from parley.core.watch import Watch
from parley.lib.clock import Clock
from parley.store import Engine, StoreUnavailable, queue


def checks(
    engine: Engine, carrier: Carrier, supervisor: Supervisor, watch: Watch, metrics: Metrics, clock: Clock
) -> dict[str, Callable[[], Awaitable[str | None]]]:
    """The checks by name."""

    async def database() -> str | None:
        if engine.last_commit_failed is not None:
            return engine.last_commit_failed
        try:
            await engine.read(queue.next_due_message)
        except StoreUnavailable as error:
            return str(error)
        return None

    async def loops() -> str | None:
        if fault := supervisor.fault():
            return fault
        stalled = metrics.stuck(clock)
        return f"no progress in {', '.join(stalled)}" if stalled else None

    async def event_loop() -> str | None:
        return watch.trouble()

    return {"database": database, "carrier": carrier.check, "loops": loops, "event_loop": event_loop}
