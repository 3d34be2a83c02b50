"""Messages, and what belongs to them: their place in the queue, events, media, links."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, SmallInteger, Table, Text

from parley.store.schema.definition import SEQUENCE, metadata, where

messages: Final = Table(
    "messages",
    metadata,
    Column("account_id", LargeBinary),
    Column("id", LargeBinary),
    Column("direction", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("sender", Text),
    Column("recipient", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("segments", SmallInteger, nullable=False),
    Column("num_media", SmallInteger, nullable=False),
    Column("service_id", LargeBinary),
    Column("status_callback", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("expires_at", BigInteger),
    Column("carrier", Text),
    Column("error_code", Integer),
    Column("error_message", Text),
    Column("uncertain", SmallInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Column("extras", Text),
    Column("price", BigInteger, comment="millionths of a US dollar"),
    PrimaryKeyConstraint("account_id", "id"),
    # No index on status: it would end HOT updates. What waits has a table of its own.
    Index("messages_recipient", "account_id", "recipient", "id"),
    Index("messages_sender", "account_id", "sender", "id"),
    sqlite_with_rowid=False,
    # Each message changes at least twice soon after it was made: room in its page spares all three indexes.
    postgresql_with={"fillfactor": "60"},
)

pending: Final = Table(
    "pending",
    metadata,
    Column("message_id", LargeBinary, primary_key=True),
    Column("account_id", LargeBinary, nullable=False),
    Column("sender", Text, nullable=False),
    Column("node", LargeBinary),
    Column("due_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("waiting_for", Text),
    # What a node holds in memory is not in the index: the hot path neither adds to it nor takes from it.
    Index("pending_due", "due_at", "message_id", **where("node IS NULL")),
    Index("pending_scheduled", "account_id", **where("waiting_for = 'schedule'")),
    sqlite_with_rowid=False,
    postgresql_with={"fillfactor": "70"},
)

paces: Final = Table(
    "paces",
    metadata,
    Column("account_id", LargeBinary),
    Column("sender", Text),
    Column("free_at", BigInteger, nullable=False, comment="the sender's next free slot"),
    PrimaryKeyConstraint("account_id", "sender"),
    sqlite_with_rowid=False,
    postgresql_with={"fillfactor": "70"},
)

idempotency: Final = Table(
    "idempotency",
    metadata,
    Column("account_id", LargeBinary),
    Column("key", Text),
    Column("message_id", LargeBinary, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False, comment="of the request, to tell a reused key"),
    Column("created_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "key"),
    Index("idempotency_age", "created_at"),
    sqlite_with_rowid=False,
)

events: Final = Table(
    "events",
    metadata,
    Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
    Column("account_id", LargeBinary, nullable=False),
    Column("message_id", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("data", Text),
    Index("events_message", "message_id"),
    Index("events_webhook", "account_id", "at", "seq", **where("kind = 'webhook'")),
)

refs: Final = Table(
    "refs",
    metadata,
    Column("carrier", Text),
    Column("ref", Text),
    Column("account_id", LargeBinary, nullable=False),
    Column("message_id", LargeBinary, nullable=False),
    Column("status", Text, comment="what the receipt of this segment said; null before it came"),
    PrimaryKeyConstraint("carrier", "ref"),
    Index("refs_message", "message_id"),
    sqlite_with_rowid=False,
)

orphans: Final = Table(
    "orphans",
    metadata,
    Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
    Column("carrier", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("error_code", Integer),
    Index("orphans_ref", "carrier", "ref"),
)

media: Final = Table(
    "media",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("account_id", LargeBinary, nullable=False),
    Column("message_id", LargeBinary, nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("source_url", Text),
    Column("content_type", Text),
    Column("size", BigInteger),
    Column("content_hash", LargeBinary),
    Column("created_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Index("media_message", "message_id", "position"),
    Index("media_content_use", "content_hash"),
    sqlite_with_rowid=False,
)

media_content: Final = Table(
    "media_content",
    metadata,
    Column("hash", LargeBinary, primary_key=True, comment="SHA-256"),
    Column("octets", LargeBinary, nullable=False),
)

links: Final = Table(
    "links",
    metadata,
    Column("code", Text, primary_key=True),
    Column("account_id", LargeBinary, nullable=False),
    Column("message_id", LargeBinary, nullable=False),
    Column("url", Text, nullable=False),
    Column("domain_id", LargeBinary, comment="whose rules hold; null for the server's own"),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("clicks", Integer, nullable=False),
    Column("last_click_at", BigInteger),
    Index("links_message", "message_id"),
    Index("links_age", "expires_at"),
    sqlite_with_rowid=False,
)

forgetting: Final = Table(
    "forgetting",
    metadata,
    Column("message_id", LargeBinary, primary_key=True, comment="of which something is not to be kept"),
    Column("account_id", LargeBinary, nullable=False),
    Column("due_at", BigInteger, nullable=False, comment="when to look whether it is over"),
    Index("forgetting_due", "due_at"),
    sqlite_with_rowid=False,
)
