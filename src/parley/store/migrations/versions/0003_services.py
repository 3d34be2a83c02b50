"""Resources that accounts configure (services, campaigns...), sticky senders, short links, usage, words of consent."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers rows by itself only in an INTEGER key


def upgrade() -> None:
    is_due = sa.text("due_at IS NOT NULL")
    op.add_column("accounts", sa.Column("owner_id", sa.LargeBinary, comment="the account whose subaccount it is"))
    op.create_index("accounts_owner", "accounts", ["owner_id", "id"])
    op.add_column("api_keys", sa.Column("kind", sa.Text, nullable=False, server_default="standard"))
    op.add_column("api_keys", sa.Column("updated_at", sa.BigInteger, nullable=False, server_default="0"))
    op.execute("UPDATE api_keys SET kind = 'main', updated_at = created_at")  # what they might do, they still may
    op.create_index("api_keys_account", "api_keys", ["account_id", "id"])
    op.add_column("numbers", sa.Column("application_id", sa.LargeBinary, comment="whose webhooks stand in for its own"))
    op.add_column("messages", sa.Column("price", sa.BigInteger, comment="millionths of a US dollar"))
    op.add_column("opt_outs", sa.Column("source", sa.Text, nullable=False, server_default="inbound"))
    op.create_index("opt_outs_recipient", "opt_outs", ["account_id", "recipient"])
    is_scheduled = sa.text("waiting_for = 'schedule'")
    op.create_index(
        "pending_scheduled", "pending", ["account_id"], sqlite_where=is_scheduled, postgresql_where=is_scheduled
    )
    op.create_table(
        "consent_changes",
        sa.Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("account_id", sa.LargeBinary, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("keyword", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("said_by", sa.Text, nullable=False, comment="a phone's address, or the SID of credentials"),
        sa.Column("message_id", sa.LargeBinary),
        sa.Index("consent_changes_pair", "account_id", "sender", "recipient", "seq"),
    )
    op.create_table(
        "resources",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("account_id", sa.LargeBinary, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("parent_id", sa.LargeBinary, comment="the resource that it belongs to"),
        sa.Column("name", sa.Text, comment="unique within account and kind"),
        sa.Column("due_at", sa.BigInteger, comment="when something is to happen to it"),
        sa.Column("data", sa.Text, nullable=False, comment="JSON"),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.UniqueConstraint("account_id", "kind", "name", name="resources_name"),
        sa.Index("resources_list", "account_id", "kind", "parent_id", "id"),
        sa.Index("resources_due", "kind", "due_at", sqlite_where=is_due, postgresql_where=is_due),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "stickies",
        sa.Column("service_id", sa.LargeBinary),
        sa.Column("recipient", sa.Text),
        sa.Column("sender", sa.Text, nullable=False, comment="whom a service last wrote from to this recipient"),
        sa.Column("used_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("service_id", "recipient"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "links",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("account_id", sa.LargeBinary, nullable=False),
        sa.Column("message_id", sa.LargeBinary, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("domain_id", sa.LargeBinary, comment="whose rules hold; null for the server's own"),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("clicks", sa.Integer, nullable=False),
        sa.Column("last_click_at", sa.BigInteger),
        sa.Index("links_message", "message_id"),
        sa.Index("links_age", "expires_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "forgetting",
        sa.Column("message_id", sa.LargeBinary, primary_key=True, comment="of which something is not to be kept"),
        sa.Column("account_id", sa.LargeBinary, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False, comment="when to look whether it is over"),
        sa.Index("forgetting_due", "due_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage",
        sa.Column("account_id", sa.LargeBinary),
        sa.Column("day", sa.Integer, comment="days since 1970-01-01 UTC"),
        sa.Column("category", sa.Text),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("units", sa.BigInteger, nullable=False, comment="segments"),
        sa.Column("price", sa.BigInteger, nullable=False, comment="millionths of a US dollar"),
        sa.PrimaryKeyConstraint("account_id", "day", "category"),
        sqlite_with_rowid=False,
        postgresql_with={"fillfactor": "70"},
    )
