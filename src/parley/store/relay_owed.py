"""Say what Relay's clients are owed when a message enters a state: rows that are inserted with the state itself."""

from collections.abc import Iterator, Sequence
from typing import Final

from parley.model.message import Message
from parley.model.relay import told_of
from parley.store.engine.statements import Row

COLUMNS: Final = ("account_id", "target", "context", "message_id", "status", "error_code", "at")
"""Of a new event; the rest is made as it is inserted, or when it is claimed."""
Target = tuple[bytes, str]
"""An account, and a context of its or the protocol of one of its sessions."""

_TOLD: Final = frozenset(
    {"queued", "sending", "sent", "delivered", "undelivered", "failed", "canceled", "received", "read"}
)


def owed(key: tuple[bytes, bytes], extras: str | None, status: str, code: int | None, at: int) -> Iterator[Row]:
    """The event that tells of a state, of `COLUMNS`, if the message's extras say that anybody is told. `key` is the
    message's account's id and its own.
    """
    told = told_of(extras)
    if told is not None and status in _TOLD:
        account_id, message_id = key
        yield account_id, told.to or told.context, told.context, message_id, status, code, at


def of_taken(message: Message, events: Sequence[Row]) -> Iterator[Row]:
    """The events that tell of the states which a message enters as it is taken; `events` are its own."""
    if message.extras is not None:
        for _, _, kind, at, _ in events:
            code = message.error_code if kind == message.status else None
            yield from owed((message.account_id, message.id), message.extras, kind, code, at)


def of_message(message: Message) -> list[Target]:
    """Whom a message's events are for, if anybody."""
    told = told_of(message.extras)
    return [] if told is None else [(message.account_id, told.to or told.context)]
