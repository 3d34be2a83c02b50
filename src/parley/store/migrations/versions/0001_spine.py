"""The spine: accounts, numbers, messages and all that follows from them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers rows by itself only in an INTEGER key


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("opt_out_handling", sa.Text(), nullable=False),
        sa.Column("auth_token", sa.LargeBinary(), nullable=False, comment="encrypted"),
        sa.Column("signing_key", sa.LargeBinary(), nullable=False, comment="encrypted"),
        sa.Column("previous_auth_token", sa.LargeBinary(), comment="encrypted"),
        sa.Column("previous_valid_until", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "arrivals",
        sa.Column("message_id", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("media", sa.Text(), comment="JSON list of media ids and types"),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("message_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("arrivals_phone", "arrivals", ["phone", "received_at", "message_id"])
    op.create_table(
        "callbacks",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("fallback_url", sa.Text()),
        sa.Column("fallback_method", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Integer()),
        sa.Column("data", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("node", sa.LargeBinary()),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.Column("finished_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
        postgresql_with={"fillfactor": "70"},
        sqlite_with_rowid=False,
    )
    op.create_index("callbacks_message", "callbacks", ["message_id", "id"])
    op.create_index(
        "callbacks_waiting",
        "callbacks",
        ["node", "due_at"],
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "cookies",
        sa.Column("account_id", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "number", "phone", "name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "due_receipts",
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Integer()),
        sa.PrimaryKeyConstraint("due_at", "message_id", "status"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        sa.Column("seq", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.Text()),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("events_message", "events", ["message_id"])
    op.create_table(
        "idempotency",
        sa.Column("account_id", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("message_id", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False, comment="of the request, to tell a reused key"),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key"),
        sqlite_with_rowid=False,
    )
    op.create_index("idempotency_age", "idempotency", ["created_at"])
    op.create_table(
        "media",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", sa.LargeBinary(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("source_url", sa.Text()),
        sa.Column("content_type", sa.Text()),
        sa.Column("size", sa.BigInteger()),
        sa.Column("content_hash", sa.LargeBinary()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("media_content_use", "media", ["content_hash"])
    op.create_index("media_message", "media", ["message_id", "position"])
    op.create_table(
        "media_content",
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="SHA-256"),
        sa.Column("octets", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "messages",
        sa.Column("account_id", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text()),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("segments", sa.SmallInteger(), nullable=False),
        sa.Column("num_media", sa.SmallInteger(), nullable=False),
        sa.Column("service_id", sa.LargeBinary()),
        sa.Column("status_callback", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("carrier", sa.Text()),
        sa.Column("error_code", sa.Integer()),
        sa.Column("error_message", sa.Text()),
        sa.Column("uncertain", sa.SmallInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger()),
        sa.Column("extras", sa.Text()),
        sa.PrimaryKeyConstraint("account_id", "id"),
        postgresql_with={"fillfactor": "60"},
        sqlite_with_rowid=False,
    )
    op.create_index("messages_recipient", "messages", ["account_id", "recipient", "id"])
    op.create_index("messages_sender", "messages", ["account_id", "sender", "id"])
    op.create_table(
        "nodes",
        sa.Column("id", sa.LargeBinary(), nullable=False, comment="one life of one process"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("alive_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "numbers",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.LargeBinary(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("handler", sa.Text()),
        sa.Column("request_url", sa.Text()),
        sa.Column("request_method", sa.Text(), nullable=False),
        sa.Column("fallback_url", sa.Text()),
        sa.Column("fallback_method", sa.Text(), nullable=False),
        sa.Column("status_callback", sa.Text()),
        sa.Column("status_callback_method", sa.Text(), nullable=False),
        sa.Column("can_sms", sa.SmallInteger(), nullable=False),
        sa.Column("can_mms", sa.SmallInteger(), nullable=False),
        sa.Column("can_whatsapp", sa.SmallInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("extras", sa.Text()),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("address", name="numbers_address"),
        sqlite_with_rowid=False,
    )
    op.create_index("numbers_account", "numbers", ["account_id", "id"])
    op.create_table(
        "opt_outs",
        sa.Column("account_id", sa.LargeBinary(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("keyword", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "sender", "recipient"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "orphans",
        sa.Column("seq", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("error_code", sa.Integer()),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("orphans_ref", "orphans", ["carrier", "ref"])
    op.create_table(
        "paces",
        sa.Column("account_id", sa.LargeBinary(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("free_at", sa.BigInteger(), nullable=False, comment="the sender's next free slot"),
        sa.PrimaryKeyConstraint("account_id", "sender"),
        postgresql_with={"fillfactor": "70"},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pending",
        sa.Column("message_id", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.LargeBinary(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("node", sa.LargeBinary()),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("waiting_for", sa.Text()),
        sa.PrimaryKeyConstraint("message_id"),
        postgresql_with={"fillfactor": "70"},
        sqlite_with_rowid=False,
    )
    op.create_index(
        "pending_due",
        "pending",
        ["due_at", "message_id"],
        sqlite_where=sa.text("node IS NULL"),
        postgresql_where=sa.text("node IS NULL"),
    )
    op.create_table(
        "phones",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("behaviour", sa.Text(), nullable=False, comment="JSON"),
        sa.PrimaryKeyConstraint("address"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "refs",
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("account_id", sa.LargeBinary(), nullable=False),
        sa.Column("message_id", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), comment="what the receipt of this segment said; null before it came"),
        sa.PrimaryKeyConstraint("carrier", "ref"),
        sqlite_with_rowid=False,
    )
    op.create_index("refs_message", "refs", ["message_id"])
    op.create_table(
        "settings",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False, comment="JSON"),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
        sqlite_with_rowid=False,
    )
