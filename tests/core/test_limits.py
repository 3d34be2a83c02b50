"""Limits: an account's rate and its parts on several nodes, requests at once, and the bounded intake."""

from typing import Final

import pytest

from parley.core.limits import UNLIMITED, Bounds, Busy, Limits, Standing
from tests.clock import ManualClock

ONE: Final = b"1" * 16
OTHER: Final = b"2" * 16


class World:
    def __init__(self, **bounds: float) -> None:
        self.clock = ManualClock()
        self.nodes = 1
        self.waiting = 0
        given = Bounds(**bounds)  # type: ignore[arg-type]  # a float where an int will do
        self.limits = Limits(given, self.clock, lambda: self.nodes, lambda: self.waiting)

    def write(self, account: bytes = ONE) -> Standing | None:
        standing = self.limits.enter(account, is_write=True)
        self.limits.depart(account)
        return standing


def test_a_burst_is_granted_and_then_the_rate() -> None:
    world = World(rate=2.0, burst=3)
    assert [world.write() for _ in range(3)] == [Standing(3, 2, 1), Standing(3, 1, 1), Standing(3, 0, 2)]
    with pytest.raises(Busy) as refused:
        world.write()
    assert (refused.value.retry_after_s, refused.value.standing) == (1, Standing(3, 0, 2))
    world.write(OTHER)
    world.clock.advance(0.5)
    assert world.write() == Standing(3, 0, 2)
    world.clock.advance(1000)
    assert world.write() == Standing(3, 2, 1)


def test_an_hour_that_the_wall_clock_jumps_grants_and_costs_nothing() -> None:
    world = World(rate=1.0, burst=1)
    world.write()
    for jump in (3_600_000_000, -7_200_000_000):
        world.clock.set(world.clock.now() + jump)
        with pytest.raises(Busy):
            world.write()
    world.clock.advance(1)
    world.write()


def test_nodes_share_an_accounts_rate() -> None:
    world = World(rate=4.0, burst=8)
    world.nodes = 4
    assert world.write() == Standing(2, 1, 1)
    world.write()
    with pytest.raises(Busy):
        world.write()
    world.clock.advance(1)
    world.write()
    world.nodes = 1  # the others stopped: their part is this node's
    world.clock.advance(1)
    assert world.write() == Standing(8, 3, 2)


def test_reads_cost_nothing_and_say_what_is_left() -> None:
    world = World(rate=1.0, burst=1)
    world.write()
    assert world.limits.enter(ONE, is_write=False) == Standing(1, 0, 1)


def test_an_account_may_ask_so_much_at_once() -> None:
    world = World(together=2)
    world.limits.enter(ONE, is_write=False)
    world.limits.enter(ONE, is_write=True)
    with pytest.raises(Busy):
        world.limits.enter(ONE, is_write=False)
    world.limits.enter(OTHER, is_write=False)
    world.limits.depart(ONE)
    world.limits.enter(ONE, is_write=False)


def test_what_waits_is_bounded_writes_and_reads_apart() -> None:
    world = World(intake=2)
    limits = world.limits
    for is_write in (True, False):
        for _ in range(2):
            limits.arrive(is_write=is_write)
        with pytest.raises(Busy):
            limits.arrive(is_write=is_write)
    limits.leave(is_write=True)
    world.waiting = 2  # whose clients were told to come again
    with pytest.raises(Busy):
        limits.arrive(is_write=True)
    world.waiting = 0
    limits.arrive(is_write=True)
    assert (limits.writes, limits.reads) == (2, 2)


def test_without_bounds_nothing_is_refused() -> None:
    world = World()
    for _ in range(10_000):
        world.limits.arrive(is_write=True)
        assert world.limits.enter(ONE, is_write=True) is UNLIMITED
