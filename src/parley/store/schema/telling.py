"""What customers' apps are told: callbacks, with the cookies that they set, and the events of Relay."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, SmallInteger, Table, Text

from parley.store.schema.definition import SEQUENCE, metadata, where

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
    Index("callbacks_waiting", "node", "due_at", **where("state = 'pending'")),
    Index("callbacks_given_up", "account_id", "id", **where("state = 'gave_up'")),
    sqlite_with_rowid=False,
    postgresql_with={"fillfactor": "70"},
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

relay_events: Final = Table(
    "relay_events",
    metadata,
    Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
    Column("account_id", LargeBinary, nullable=False),
    Column("target", Text, nullable=False, comment="a context, or one session's protocol"),
    Column("context", Text, nullable=False),
    Column("message_id", LargeBinary, nullable=False),
    Column("status", Text, nullable=False),
    Column("error_code", Integer),
    Column("at", BigInteger, nullable=False),
    Column("node", LargeBinary),
    Index("relay_events_waiting", "account_id", "target", "seq", **where("node IS NULL")),
    sqlite_autoincrement=True,  # what a node forgets once more must not be a new event by then
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
    Index("relay_sessions_taken", "taken_from", **where("taken_from IS NOT NULL")),
    sqlite_with_rowid=False,
)
