"""Schedule: say when a message may go, which is from its SendAt on, and outside its recipient's quiet hours."""

from typing import Final

import msgspec

from parley.core.quiet_hours import Quiet, free_at
from parley.core.refusal import Refused
from parley.lib.clock import Clock
from parley.lib.time_zones import time_zones
from parley.model.address import Address
from parley.model.message import Direction
from parley.model.service import QuietHours
from parley.store import Engine, scheduled

_COUNTED_FOR_S: Final = 10.0
"""How long a count of what an account has scheduled is taken to be so, but for what was added here since."""


class Window(msgspec.Struct, frozen=True):
    """How far ahead a message may be scheduled, in seconds from now, and how many of an account's may be at once."""

    min_s: int = 300
    max_s: int = 3_024_000
    limit: int = 500_000


class Start(msgspec.Struct, frozen=True):
    """From when on a message may go, and why not before; `waiting_for` None: at once."""

    at: int
    waiting_for: str | None = None


class Schedule:
    """Says when messages may go. Answers are left alone by quiet hours: who has just written is awake."""

    def __init__(self, engine: Engine, clock: Clock, quiet: Quiet, window: Window) -> None:
        self._engine = engine
        self._clock = clock
        self._quiet = quiet
        self._window = window
        self._counts: dict[bytes, tuple[int, float]] = {}

    async def start(
        self, account_id: bytes, service_id: bytes | None, direction: Direction, recipient: Address, send_at: int | None
    ) -> Start:
        """From when on a new message may go. Raises Refused: send_at_out_of_window, schedule_full, quiet_hours."""
        now = self._clock.now()
        if send_at is not None:
            await self._check(account_id, send_at, now)
        begins = send_at or now
        hours = await self.hours(account_id, service_id, direction)
        if hours is not None and (until := self.until(hours, recipient, begins)) > begins:
            if hours.action == "refuse":
                raise Refused("quiet_hours", recipient.text)
            if send_at is None:
                return Start(until, "quiet_hours")
        return Start(now) if send_at is None else Start(send_at, "schedule")

    async def hours(self, account_id: bytes, service_id: bytes | None, direction: Direction) -> QuietHours | None:
        """The quiet hours that a message keeps."""
        return await self._quiet.of(account_id, service_id) if direction == "outbound-api" else None

    def until(self, hours: QuietHours, recipient: Address, at: int) -> int:
        """When a message may go that would go at `at`: at most a day later."""
        return free_at(hours, time_zones(recipient.value), at)

    async def _check(self, account_id: bytes, send_at: int, now: int) -> None:
        window = self._window
        if not now + window.min_s * 1_000_000 <= send_at <= now + window.max_s * 1_000_000:
            raise Refused("send_at_out_of_window", f"from {window.min_s} to {window.max_s}")
        count, good_until = self._counts.get(account_id, (0, 0.0))
        if self._clock.monotonic() >= good_until:
            count = await self._engine.read(scheduled.count, account_id)
            good_until = self._clock.monotonic() + _COUNTED_FOR_S
        if count >= window.limit:
            raise Refused("schedule_full")
        self._counts[account_id] = (count + 1, good_until)
