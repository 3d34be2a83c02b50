"""Callbacks in this node's hands: a chain for each message, and a line of chains for each host."""

from bisect import insort
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

from parley.model.callback import Callback
from parley.model.message import Message

_CROWDED_US: Final = (250_000, 5_000_000)
"""How long at least and at most a callback waits in the record whose host has its share of memory."""
_CROWDED_STEP_US: Final = (50, 400)
"""What waits so falls due one after the other, about as fast as the host has taken callbacks of late."""
_OF_LATE_S: Final = 4.0


class Chain:
    """One message's callbacks in this node's hands. `pending` come before its first one, here or elsewhere."""

    __slots__ = ("callbacks", "is_probe", "known", "message", "message_id", "pending")

    def __init__(self, callback: Callback, message: Message | None, pending: Sequence[tuple[bytes, int]]) -> None:
        self.message_id = callback.message_id
        self.callbacks = [callback]  # few, in thousands of chains: a deque would be ten times as large
        self.known = {callback.id}
        self.message = message
        self.pending = [each for each in pending if each[0] < callback.id]
        self.is_probe = False

    def lacks(self, callback: Callback, pending: Iterable[tuple[bytes, int]]) -> int | None:
        """When the first of those pending is due that has to come before `callback` and never was here, if any has."""
        return next((due_at for id_, due_at in pending if id_ < callback.id and id_ not in self.known), None)

    def join(self, callback: Callback) -> None:
        """Take a later callback, in its place: what was claimed may be older than what was handed over."""
        self.known.add(callback.id)
        insort(self.callbacks, callback, key=lambda each: each.id)


class Line:
    """One host's callbacks in this node's hands: how many messages' are under way, and whose wait for their turn."""

    __slots__ = ("_crowded_until", "_since", "active", "name", "served", "waiting")

    def __init__(self, name: str, monotonic: float) -> None:
        self.name = name
        self.active = 0
        self.waiting: deque[Chain] = deque()
        self.served = 0.0
        self._since = monotonic
        self._crowded_until = 0

    def crowded_until(self, now: int, monotonic: float) -> int:
        """When a callback that finds no place may come back: about when half of what is here is done."""
        elapsed = monotonic - self._since
        if elapsed > _OF_LATE_S:
            self.served, self._since = self.served / 2, monotonic - elapsed / 2
        each_us = round(elapsed * 1_000_000 / self.served) if self.served else _CROWDED_STEP_US[1]
        here_us = each_us * (self.active + len(self.waiting)) // 2
        step_us = min(max(each_us, _CROWDED_STEP_US[0]), _CROWDED_STEP_US[1])
        earliest = now + min(max(here_us, _CROWDED_US[0]), _CROWDED_US[1])
        self._crowded_until = max(self._crowded_until + step_us, earliest)
        return self._crowded_until
