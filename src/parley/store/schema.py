"""The one definition of every table, for both engines.

Ids are 16 raw bytes and times microseconds in a BIGINT on both, so that rows need no conversion on the hot path.
Columns stand in the order of the model's fields. Lists are keyset ranges over time-ordered ids.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata: Final = MetaData()

_SEQUENCE = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows by itself only in an INTEGER key

accounts: Final = Table(
    "accounts",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("opt_out_handling", Text, nullable=False),
    Column("auth_token", LargeBinary, nullable=False, comment="encrypted"),
    Column("signing_key", LargeBinary, nullable=False, comment="encrypted"),
    Column("previous_auth_token", LargeBinary, comment="encrypted"),
    Column("previous_valid_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("owner_id", LargeBinary, comment="the account whose subaccount it is"),
    Column("next_signing_key", LargeBinary, comment="encrypted"),
    Column("next_signs_from", BigInteger),
    Index("accounts_owner", "owner_id", "id"),
    sqlite_with_rowid=False,
)

api_keys: Final = Table(
    "api_keys",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("account_id", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False, server_default="standard"),
    Column("updated_at", BigInteger, nullable=False, server_default="0"),
    Index("api_keys_account", "account_id", "id"),
    sqlite_with_rowid=False,
)

numbers: Final = Table(
    "numbers",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("account_id", LargeBinary, nullable=False),
    Column("address", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("handler", Text),
    Column("request_url", Text),
    Column("request_method", Text, nullable=False),
    Column("fallback_url", Text),
    Column("fallback_method", Text, nullable=False),
    Column("status_callback", Text),
    Column("status_callback_method", Text, nullable=False),
    Column("can_sms", SmallInteger, nullable=False),
    Column("can_mms", SmallInteger, nullable=False),
    Column("can_whatsapp", SmallInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("extras", Text),
    Column("application_id", LargeBinary, comment="whose webhooks stand in for its own"),
    Column("relay_context", Text, comment="which Relay clients get its messages"),
    UniqueConstraint("address", name="numbers_address"),
    Index("numbers_account", "account_id", "id"),
    sqlite_with_rowid=False,
)

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
    Index(
        "pending_due", "due_at", "message_id", sqlite_where=text("node IS NULL"), postgresql_where=text("node IS NULL")
    ),
    Index(
        "pending_scheduled",
        "account_id",
        sqlite_where=text("waiting_for = 'schedule'"),
        postgresql_where=text("waiting_for = 'schedule'"),
    ),
    sqlite_with_rowid=False,
    postgresql_with={"fillfactor": "70"},
)

events: Final = Table(
    "events",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("account_id", LargeBinary, nullable=False),
    Column("message_id", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("data", Text),
    Index("events_message", "message_id"),
    Index(
        "events_webhook",
        "account_id",
        "at",
        "seq",
        sqlite_where=text("kind = 'webhook'"),
        postgresql_where=text("kind = 'webhook'"),
    ),
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
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("carrier", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("error_code", Integer),
    Index("orphans_ref", "carrier", "ref"),
)

callbacks: Final = Table(
    "callbacks",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("account_id", LargeBinary, nullable=False),
    Column("message_id", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("fallback_url", Text),
    Column("fallback_method", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("error_code", Integer),
    Column("data", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("node", LargeBinary),
    Column("due_at", BigInteger, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("outcome", Text),
    Column("finished_at", BigInteger),
    Index("callbacks_message", "message_id", "id"),
    # One small index of what is unfinished serves both who is free and who is held by a node that died.
    Index(
        "callbacks_waiting",
        "node",
        "due_at",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "callbacks_given_up",
        "account_id",
        "id",
        sqlite_where=text("state = 'gave_up'"),
        postgresql_where=text("state = 'gave_up'"),
    ),
    sqlite_with_rowid=False,
    postgresql_with={"fillfactor": "70"},
)

relay_events: Final = Table(
    "relay_events",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("account_id", LargeBinary, nullable=False),
    Column("target", Text, nullable=False, comment="a context, or one session's protocol"),
    Column("context", Text, nullable=False),
    Column("message_id", LargeBinary, nullable=False),
    Column("status", Text, nullable=False),
    Column("error_code", Integer),
    Column("at", BigInteger, nullable=False),
    Column("node", LargeBinary),
    Index(
        "relay_events_waiting",
        "account_id",
        "target",
        "seq",
        sqlite_where=text("node IS NULL"),
        postgresql_where=text("node IS NULL"),
    ),
)

relay_sessions: Final = Table(
    "relay_sessions",
    metadata,
    Column("protocol", Text, primary_key=True),
    Column("account_id", LargeBinary, nullable=False),
    Column("contexts", Text, nullable=False, comment="JSON list"),
    Column("node", LargeBinary, comment="where it is connected"),
    Column("updated_at", BigInteger, nullable=False),
    Column("taken_from", LargeBinary, comment="the node that is to end its old connection"),
    Index("relay_sessions_account", "account_id"),
    Index(
        "relay_sessions_taken",
        "taken_from",
        sqlite_where=text("taken_from IS NOT NULL"),
        postgresql_where=text("taken_from IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

resources: Final = Table(
    "resources",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("account_id", LargeBinary, nullable=False),
    Column("kind", Text, nullable=False),
    Column("parent_id", LargeBinary, comment="the resource that it belongs to"),
    Column("name", Text, comment="unique within account and kind"),
    Column("due_at", BigInteger, comment="when something is to happen to it"),
    Column("data", Text, nullable=False, comment="JSON"),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    UniqueConstraint("account_id", "kind", "name", name="resources_name"),
    Index("resources_list", "account_id", "kind", "parent_id", "id"),
    Index(
        "resources_due",
        "kind",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL"),
        postgresql_where=text("due_at IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
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

usage: Final = Table(
    "usage",
    metadata,
    Column("account_id", LargeBinary),
    Column("day", Integer, comment="days since 1970-01-01 UTC"),
    Column("category", Text),
    Column("count", BigInteger, nullable=False),
    Column("units", BigInteger, nullable=False, comment="segments"),
    Column("price", BigInteger, nullable=False, comment="millionths of a US dollar"),
    PrimaryKeyConstraint("account_id", "day", "category"),
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

opt_outs: Final = Table(
    "opt_outs",
    metadata,
    Column("account_id", LargeBinary),
    Column("sender", Text),
    Column("recipient", Text),
    Column("keyword", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("source", Text, nullable=False, server_default="inbound"),
    PrimaryKeyConstraint("account_id", "sender", "recipient"),
    Index("opt_outs_recipient", "account_id", "recipient"),
    sqlite_with_rowid=False,
)

consent_changes: Final = Table(
    "consent_changes",
    metadata,
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("account_id", LargeBinary, nullable=False),
    Column("sender", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("keyword", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("said_by", Text, nullable=False, comment="a phone's address, or the SID of credentials"),
    Column("message_id", LargeBinary),
    Index("consent_changes_pair", "account_id", "sender", "recipient", "seq"),
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

cookies: Final = Table(
    "cookies",
    metadata,
    Column("account_id", LargeBinary),
    Column("number", Text),
    Column("phone", Text),
    Column("name", Text),
    Column("value", Text, nullable=False),
    Column("used_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "number", "phone", "name"),
    sqlite_with_rowid=False,
)

nodes: Final = Table(
    "nodes",
    metadata,
    Column("id", LargeBinary, primary_key=True, comment="one life of one process"),
    Column("name", Text, nullable=False),
    Column("alive_until", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

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
    Index("calls_held", "node", sqlite_where=text("node IS NOT NULL"), postgresql_where=text("node IS NOT NULL")),
)

settings: Final = Table(
    "settings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False, comment="JSON"),
    Column("updated_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
