"""Schedule: say when a message may go, which is from its SendAt on, and outside its recipient's quiet hours."""

from typing import Final

import msgspec
from msgspec.structs import replace

from parley.core.quiet_hours import Quiet, free_at
from parley.core.refusal import Refused
from parley.lib.clock import Clock
from parley.lib.time_zones import time_zones
from parley.model import address as addresses
from parley.model.address import Address
from parley.model.message import DEFAULT_VALIDITY_S, Direction, Status
from parley.model.resource import Resource
from parley.model.service import QuietHours, Service
from parley.store import Engine, scheduled
from parley.store.accept import Intake

_COUNTED_FOR_S: Final = 10.0
"""How long a count of what an account has scheduled is taken to be so, but for what was added here since."""


class Window(msgspec.Struct, frozen=True):
    """How far ahead a message may be scheduled, in seconds from now, and how many of an account's may be at once."""

    min_s: int = 300
    max_s: int = 3_024_000
    limit: int = 500_000


class Start(msgspec.Struct, frozen=True):
    """When a message is due, and why not at once."""

    at: int
    waiting_for: str
    free_at: int
    """When it may go: later than `at` where that is within quiet hours, which are looked at again then."""


class Schedule:
    """Says when messages may go. Answers are left alone by quiet hours: who has just written is awake."""

    def __init__(self, engine: Engine, clock: Clock, quiet: Quiet, window: Window) -> None:
        self._engine = engine
        self._clock = clock
        self._quiet = quiet
        self.window = window
        self._counts: dict[bytes, tuple[int, float]] = {}

    async def start(
        self,
        account_id: bytes,
        service: Resource[Service] | None,
        direction: Direction,
        recipient: Address,
        send_at: int | None,
    ) -> Start | None:
        """When a new message, of a service perhaps, is due; None for at once.

        Raises Refused: send_at_out_of_window, schedule_full, quiet_hours.
        """
        is_own = service is not None and service.value.quiet_hours is not None
        if send_at is None and not is_own and self._quiet.is_free(account_id):
            return None  # by far the most
        now = self._clock.now()
        if send_at is not None:
            await self._check(account_id, send_at, now)
        begins = free = send_at or now
        hours = await self.hours(account_id, None if service is None else service.id, direction)
        if (
            hours is not None
            and (free := self.until(hours, recipient.text, begins)) > begins
            and hours.action == "refuse"
        ):
            raise Refused("quiet_hours", recipient.text)
        if send_at is not None:
            return Start(send_at, "schedule", free)
        return Start(free, "quiet_hours", free) if free > now else None

    async def hours(self, account_id: bytes, service_id: bytes | None, direction: Direction) -> QuietHours | None:
        """The quiet hours that a message keeps."""
        return await self._quiet.of(account_id, service_id) if direction == "outbound-api" else None

    def until(self, hours: QuietHours, recipient: str, at: int) -> int:
        """When a message may go that would go at `at`: at most a day later."""
        return free_at(hours, time_zones(addresses.read(recipient).value), at)

    async def _check(self, account_id: bytes, send_at: int, now: int) -> None:
        window = self.window
        # In whole seconds, as clients write times: what is 300 ahead is a little less once its fraction is dropped.
        if not window.min_s <= send_at // 1_000_000 - now // 1_000_000 <= window.max_s:
            raise Refused("send_at_out_of_window", f"from {window.min_s} to {window.max_s}")
        count, good_until = self._counts.get(account_id, (0, 0.0))
        if self._clock.monotonic() >= good_until:
            count = await self._engine.read(scheduled.count, account_id)
            good_until = self._clock.monotonic() + _COUNTED_FOR_S
        if count >= window.limit:
            raise Refused("schedule_full")
        self._counts[account_id] = (count + 1, good_until)


def put_off(intake: Intake, start: Start, named: Address | None) -> Intake:
    """Take a message now that goes later: of what was decided of it only stands what cannot be otherwise then.

    Its validity counts from its SendAt, or from now; the longest, which is the default, from the end of quiet hours.
    """
    message, waits = intake.message, intake.pending
    assert waits is not None, "it is to be sent"
    is_scheduled, is_of_service = start.waiting_for == "schedule", message.service_id is not None
    validity_us = waits.expires_at - message.created_at
    is_longest = validity_us >= DEFAULT_VALIDITY_S * 1_000_000
    expires_at = (start.free_at if is_longest else start.at if is_scheduled else message.created_at) + validity_us
    status: Status = "scheduled" if is_scheduled else "accepted" if is_of_service else "queued"
    sender = None if is_of_service else message.sender
    return replace(
        intake,
        message=replace(message, status=status, sender=sender, expires_at=expires_at),
        pending=replace(
            waits,
            sender=sender or ("" if named is None else named.text),
            node=None,
            due_at=min(start.at, expires_at),
            expires_at=expires_at,
            waiting_for=start.waiting_for,
        ),
        callbacks=() if is_of_service else intake.callbacks,
        must_consent=intake.must_consent and not is_scheduled,
        slot_us=0,
        doom=None,
        ending=None,
        choice=None,
        passed=(),
    )
