"""Amend a message after it was taken: redact its text, cancel it, delete it, keep feedback on it."""

from typing import Any

from msgspec.structs import replace

from parley.core.record import Record
from parley.core.refusal import Refused
from parley.lib.clock import Clock
from parley.model.message import CANCELABLE, FINAL, Message
from parley.store import messages
from parley.store.changes import Change


class Amending:
    """What an account may still do to its messages."""

    def __init__(self, record: Record, clock: Clock) -> None:
        self._record = record
        self._clock = clock

    async def fetch(self, account_id: bytes, message_id: bytes) -> Message:
        """One of the account's messages. Raises Refused(not_found)."""
        message = await self._record.engine.read(messages.fetch, account_id, message_id)
        if message is None:
            raise Refused("not_found")
        return message

    async def redact(self, message: Message) -> Message:
        """Empty a message's body. Raises Refused(in_progress) before it was sent, when the text is still needed."""
        if message.status not in FINAL and message.status != "sent":
            raise Refused("in_progress")
        now = self._clock.now()
        await self._record.engine.write(messages.redact, message.account_id, message.id, now)
        return replace(message, body="", updated_at=now)

    async def cancel(self, message: Message) -> Message:
        """Withdraw a message that was not submitted. Raises Refused(not_cancelable) when that is too late."""
        now = self._clock.now()
        change = Change(message.account_id, message.id, now, "canceled", only_from=CANCELABLE, only_if_free=True)
        applied = await self._record.apply([change])
        if not applied.moved:
            raise Refused("not_cancelable")
        return replace(message, status="canceled", updated_at=now)

    async def delete(self, message: Message) -> None:
        """Delete a message with its media. Raises Refused(in_progress) while it may still be sent."""
        if message.status not in FINAL and message.status != "sent":
            raise Refused("in_progress")
        await self._record.engine.write(messages.forget, message.account_id, message.id, self._clock.now())

    async def annotate(self, message: Message, **notes: Any) -> Message:
        """Keep what the core does not act on, such as feedback, with a message. Raises Refused(not_found)."""
        now = self._clock.now()
        extras = await self._record.engine.write(messages.annotate, message.account_id, message.id, notes, now)
        if extras is None:
            raise Refused("not_found")
        return replace(message, extras=extras, updated_at=now)
