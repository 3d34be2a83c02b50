"""Simulated phones, what they hold and what they still owe, and calls."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from parley.store.schema.definition import metadata, where

phones: Final = Table(
    "phones",
    metadata,
    Column("address", Text, primary_key=True),
    Column("behaviour", Text, nullable=False, comment="JSON"),
    sqlite_with_rowid=False,
)

arrivals: Final = Table(
    "arrivals",
    metadata,
    Column("message_id", LargeBinary, primary_key=True),
    Column("account_id", LargeBinary, nullable=False),
    Column("phone", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("media", Text, comment="JSON list of media ids and types"),
    Column("received_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

due_receipts: Final = Table(
    "due_receipts",
    metadata,
    Column("due_at", BigInteger),
    Column("account_id", LargeBinary, nullable=False),
    Column("message_id", LargeBinary),
    Column("status", Text),
    Column("error_code", Integer),
    # What is due stands together: one tree to add to, to read and to take from.
    PrimaryKeyConstraint("due_at", "message_id", "status"),
    sqlite_with_rowid=False,
)

calls: Final = Table(
    "calls",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("account_id", LargeBinary, nullable=False),
    Column("node", LargeBinary, comment="who carries it out; null once it is over"),
    Column("key", Text, comment="the idempotency key of its request, unique within the account"),
    Column("fingerprint", LargeBinary, comment="of that request, to tell a reused key"),
    Column("data", Text, nullable=False, comment="JSON"),
    UniqueConstraint("account_id", "key", name="calls_key"),
    Index("calls_held", "node", **where("node IS NOT NULL")),
)
