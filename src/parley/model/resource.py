"""A resource: something that an account configures, such as a messaging service, a campaign or an application."""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Row(msgspec.Struct, frozen=True):
    """A resource as the record keeps it. Fields stand in the order of the table's columns."""

    id: bytes
    account_id: bytes
    kind: str
    """Which of the types of `Resource.value` it is, such as `service`."""
    parent_id: bytes | None
    name: str | None
    due_at: int | None
    data: str
    """JSON."""
    created_at: int
    updated_at: int
    revision: int


class Resource(msgspec.Struct, Generic[T], frozen=True):
    """A resource with its value decoded.

    `name` is unique within the account and kind, where a kind has names. `due_at` is when something is to happen to
    it (a review, an expiry), None for never. `revision` grows by one with each change.
    """

    id: bytes
    account_id: bytes
    value: T
    created_at: int
    updated_at: int
    parent_id: bytes | None = None
    name: str | None = None
    due_at: int | None = None
    revision: int = 0
