"""Accounts, and what belongs to them: keys, numbers, whatever else they configure, consent to them, usage by them."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from parley.store.schema.definition import SEQUENCE, metadata, where

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
    Index("resources_due", "kind", "due_at", **where("due_at IS NOT NULL")),
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
    Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
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
