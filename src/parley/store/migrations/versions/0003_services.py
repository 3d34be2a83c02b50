"""Resources that accounts configure (services, campaigns, applications...), sticky senders, short links, usage."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    is_due = sa.text("due_at IS NOT NULL")
    op.add_column("messages", sa.Column("price", sa.BigInteger, comment="millionths of a US dollar"))
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
