"""A callback: one HTTP request that we owe to a customer's URL, durable until delivered or given up."""

from collections.abc import Collection, Mapping
from typing import Final, Literal

import msgspec

from parley.model.message import Dialect, Status

CallbackKind = Literal["status", "inbound", "notice"]
"""status: tells of a message's state. inbound: of a message that came in. notice: of something else, such as usage;
`data` is the whole form that it sends, `message_id` what it is about, and `status` means nothing."""
TELLS_BEGINNING: Final[frozenset[Dialect]] = frozenset({"signalwire"})
"""The dialects whose status callbacks tell of the state that a message begins in, too."""
MAY_BE_UNTOLD: Final[Mapping[Dialect, Collection[Status]]] = {"signalwire": frozenset[Status]({"sending"})}
"""States that an operator may choose to tell nobody of. Where nobody was told, the event of the move says so."""
CallbackState = Literal["pending", "delivered", "gave_up"]


class Callback(msgspec.Struct, frozen=True):
    """One request to make. Those of one message are made in the order of their ids, one at a time."""

    id: bytes
    """Also the idempotency token that the receiver sees, the same at each attempt."""
    account_id: bytes
    message_id: bytes
    kind: CallbackKind
    dialect: Dialect
    url: str
    """May carry connection overrides in its fragment."""
    method: str
    fallback_url: str | None
    fallback_method: str
    status: Status
    """The state that it tells of, which may not be the message's latest."""
    error_code: int | None
    data: str | None
    """JSON object of what only this callback carries, e.g. `opt_out_type`."""
    created_at: int
    state: CallbackState
    node: bytes | None
    due_at: int
    attempts: int
    outcome: str | None
    """The last attempt in a phrase: `200`, `HTTP 500`, `11205 connection refused`."""
    finished_at: int | None
    """When it was delivered or given up; of one that is pending again because it was replayed, when that was."""

    @classmethod
    def owed(
        cls,
        id: bytes,
        message: tuple[bytes, bytes],
        dialect: Dialect,
        url: str,
        status: Status,
        *,
        at: int,
        node: bytes | None,
        after_us: int = 0,
        error_code: int | None = None,
    ) -> "Callback":
        """A status callback that nobody has tried yet. `message` is its account's id and its own."""
        account_id, message_id = message
        return cls(
            id=id,
            account_id=account_id,
            message_id=message_id,
            kind="status",
            dialect=dialect,
            url=url,
            method="POST",
            fallback_url=None,
            fallback_method="POST",
            status=status,
            error_code=error_code,
            data=None,
            created_at=at,
            state="pending",
            node=node,
            due_at=at + after_us,
            attempts=0,
            outcome=None,
            finished_at=None,
        )
