"""The watch: a blocked event loop is told, and so is a loop that has work and does not turn."""

import asyncio

from parley.core.metrics import Metrics
from parley.core.watch import PROGRESS_S, Watch
from tests.clock import ManualClock


class World:
    """A watch whose sleeps last as long as they are told to."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.metrics = Metrics()
        self.turns, self.has_work = 0, False
        self.late_s = 0.0
        self.watch = Watch(self.clock, self.metrics, {"dispatch": lambda: (self.turns, self.has_work)}, self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds + self.late_s)

    def pass_time(self, *late_s: float) -> None:
        for self.late_s in late_s:
            asyncio.run(self.watch.turn())

    @property
    def lag(self) -> float:
        return round(self.metrics.registry.get_sample_value("parley_event_loop_lag_seconds") or 0.0, 6)

    @property
    def stuck(self) -> list[str]:
        return self.metrics.stuck(self.clock)


def test_a_blocked_event_loop_is_told_for_a_while() -> None:
    world = World()
    world.pass_time(0.001, 1.25, 0.0)
    assert world.watch.trouble() == "the event loop was blocked for 1.2 s"
    assert world.lag == 1.25
    world.pass_time(*[0.0] * 40)
    assert world.watch.trouble() is None
    assert world.lag == 0.0


def test_a_little_lag_is_measured_and_no_trouble() -> None:
    world = World()
    world.pass_time(0.25, 0.125)
    assert world.watch.trouble() is None
    assert world.lag == 0.25


def test_a_loop_that_has_work_and_does_not_turn_is_stuck() -> None:
    world = World()
    world.has_work = True
    world.pass_time(0.0)
    world.pass_time(PROGRESS_S)
    assert world.stuck == ["dispatch"]
    world.turns += 1
    world.pass_time(0.0)
    assert world.stuck == []


def test_a_loop_without_work_is_never_stuck() -> None:
    world = World()
    world.pass_time(0.0, PROGRESS_S, 0.0)
    assert world.stuck == []


def test_a_jump_of_the_wall_clock_makes_nothing_stuck() -> None:
    world = World()
    world.pass_time(0.0)
    world.clock.set(world.clock.now() + 86_400_000_000)
    assert world.stuck == []
    world.clock.set(world.clock.now() - 2 * 86_400_000_000)
    world.has_work = True
    world.pass_time(PROGRESS_S)
    assert world.stuck == ["dispatch"]
    assert world.watch.trouble() is not None


async def test_who_stops_it_waits_for_no_look() -> None:
    watch = Watch(ManualClock(), Metrics(), {})
    running = asyncio.create_task(watch.run())
    await asyncio.sleep(0)
    watch.stop()
    for _ in range(10):
        await asyncio.sleep(0)
    assert running.done()
