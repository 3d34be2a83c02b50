"""A receipt: the carrier's later word on what became of a message."""

import msgspec

from parley.model.message import Status


class Receipt(msgspec.Struct, frozen=True):
    """What a carrier reports about one submitted message or segment.

    It may come early, late, twice or out of order. It names the message by the carrier's own reference (`ref`), or by
    the key we submitted it under (`key`: account id and message id) when the carrier echoes that.
    """

    carrier: str
    status: Status
    """delivered, undelivered, failed, sent or read."""
    at: int
    ref: str | None = None
    key: tuple[bytes, bytes] | None = None
    error_code: int | None = None


class Orphan(msgspec.Struct, frozen=True):
    """A receipt that matched no message when it came; kept, visible, and matched when its submit is recorded."""

    carrier: str
    ref: str
    status: Status
    at: int
    error_code: int | None
