"""How much may be asked of a node at once, and of an account in a second: what is beyond is refused, never queued."""

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

from parley.lib.clock import Clock

_MOST_ACCOUNTS: Final = 100_000
"""Accounts whose use is remembered; the one that asked least lately is forgotten first, which fills its bucket."""


class Bounds(msgspec.Struct, frozen=True):
    """What a node grants. 0 is unlimited.

    `rate` and `burst` are one account's writes a second, and how many of them may come at once, over all nodes.
    `together` is how many requests of one account one node serves at once, `intake` how many writes of all accounts
    wait for the record at once, and how many other requests are under way beside them.
    """

    rate: float = 0.0
    burst: int = 0
    together: int = 0
    intake: int = 0


class Standing(msgspec.Struct, frozen=True):
    """What an account has left: `limit` and `remaining` are requests, `reset_s` the seconds until all are there."""

    limit: int
    remaining: int
    reset_s: int


UNLIMITED: Final = Standing(13_800, 13_800, 0)
"""What is told where nothing is limited: SignalWire's own figures, so that clients that read them have them."""


class Busy(Exception):
    """Refused before anything was done. `reason` is a sentence; worth another try after `retry_after_s`."""

    def __init__(self, reason: str, retry_after_s: int = 1, standing: Standing | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.standing = standing


class Stopping(Exception):
    """What a client waited for had not come when the process began to stop; another node, or the next start, has it."""


class Limits:
    """One node's limits. `nodes` says how many nodes share an account's rate: each grants its part of it.

    `waiting` says how many writes wait for the record now: those of clients that were answered meanwhile, too.
    """

    def __init__(self, bounds: Bounds, clock: Clock, nodes: Callable[[], int], waiting: Callable[[], int]) -> None:
        self._bounds = bounds
        self._clock = clock
        self._nodes = nodes
        self._waiting = waiting
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()
        self._together: dict[bytes, int] = {}
        self.writes = 0
        """Writes under way."""
        self.reads = 0
        """Other requests under way."""

    @property
    def intake(self) -> int:
        """What the bound of the intake is held against: writes that are under way, or wait for the record."""
        return max(self.writes, self._waiting())

    def arrive(self, *, is_write: bool) -> None:
        """A request comes, from whomever. Raises Busy; otherwise `leave` has to follow."""
        most = self._bounds.intake
        if is_write:
            if most and self.intake >= most:
                raise Busy("Too many requests wait to be recorded; try again shortly")
            self.writes += 1
        else:
            if most and self.reads >= most:
                raise Busy("Too many requests are under way; try again shortly")
            self.reads += 1

    def leave(self, *, is_write: bool) -> None:
        """The request is answered."""
        if is_write:
            self.writes -= 1
        else:
            self.reads -= 1

    def enter(self, account_id: bytes, *, is_write: bool) -> Standing:
        """The request is this account's. Raises Busy; otherwise `depart` has to follow.

        Returns what the account has left. Only writes count: SignalWire documents reads
        as unlimited (platform/rate-limits), and what they cost is bounded by how many are under way.
        """
        together = self._together.get(account_id, 0)
        if 0 < self._bounds.together <= together:
            raise Busy("Too many concurrent requests of this account; try again shortly")
        standing = self._spend(account_id, 1.0 if is_write else 0.0) if self._bounds.rate else UNLIMITED
        self._together[account_id] = together + 1
        return standing

    def depart(self, account_id: bytes) -> None:
        """The account's request is answered."""
        together = self._together[account_id] - 1
        if together:
            self._together[account_id] = together
        else:
            del self._together[account_id]

    def _spend(self, account_id: bytes, cost: float) -> Standing:
        nodes = max(1, self._nodes())
        rate = self._bounds.rate / nodes
        most = max(1.0, self._bounds.burst / nodes)
        now = self._clock.monotonic()
        had, at = self._buckets.get(account_id, (most, now))
        left = min(most, had + (now - at) * rate)
        is_enough = left >= cost
        if is_enough:
            left -= cost
        self._buckets[account_id] = (left, now)
        self._buckets.move_to_end(account_id)
        if len(self._buckets) > _MOST_ACCOUNTS:
            self._buckets.popitem(last=False)
        standing = Standing(int(most), int(left), math.ceil((most - left) / rate))
        if not is_enough:
            wait_s = max(1, math.ceil((cost - left) / rate))
            raise Busy("Too many requests of this account; try again later", wait_s, standing)
        return standing
