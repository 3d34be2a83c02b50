"""Calls get a table of their own, so that who carries one out can tell of it on its way."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    is_held = sa.text("node IS NOT NULL")
    op.create_table(
        "calls",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("account_id", sa.LargeBinary, nullable=False),
        sa.Column("node", sa.LargeBinary, comment="who carries it out; null once it is over"),
        sa.Column("key", sa.Text, comment="the idempotency key of its request, unique within the account"),
        sa.Column("fingerprint", sa.LargeBinary, comment="of that request, to tell a reused key"),
        sa.Column("data", sa.Text, nullable=False, comment="JSON"),
        sa.UniqueConstraint("account_id", "key", name="calls_key"),
        sa.Index("calls_held", "node", sqlite_where=is_held, postgresql_where=is_held),
    )
    op.execute(
        "INSERT INTO calls (id, account_id, data) SELECT id, account_id, data FROM resources WHERE kind = 'call'"
    )
    op.execute("DELETE FROM resources WHERE kind = 'call'")
