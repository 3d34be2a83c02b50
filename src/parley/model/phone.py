"""A simulated phone: what reached it, and what it still has to report."""

from typing import Final

import msgspec

from parley.model.message import Status

CARRIER: Final = "simulator"
"""The name of the carrier whose these phones are."""


class Arrival(msgspec.Struct, frozen=True):
    """One message at a handset. It arrives once, however often it was submitted."""

    message_id: bytes
    account_id: bytes
    phone: str
    sender: str
    body: str
    media: str | None
    """JSON list of what it carries: ids and content types."""
    received_at: int


class DueReceipt(msgspec.Struct, frozen=True):
    """A receipt that a handset owes from `due_at` on."""

    due_at: int
    account_id: bytes
    message_id: bytes
    status: Status
    error_code: int | None = None


class Phone(msgspec.Struct, frozen=True):
    """A phone that an account talked with."""

    address: str
    active_at: int
    """When it last received or sent something."""
