"""A callback: one HTTP request that we owe to a customer's URL, durable until delivered or given up."""

from typing import Literal

import msgspec

from parley.model.message import Dialect, Status

CallbackKind = Literal["status", "inbound"]
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
