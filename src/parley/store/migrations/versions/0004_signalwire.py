"""What SignalWire's messaging needs: Relay's events and sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers rows by itself only in an INTEGER key


def upgrade() -> None:
    op.add_column("numbers", sa.Column("relay_context", sa.Text, comment="which Relay clients get its messages"))
    op.add_column("accounts", sa.Column("next_signing_key", sa.LargeBinary, comment="encrypted"))
    op.add_column("accounts", sa.Column("next_signs_from", sa.BigInteger))
    is_free = sa.text("node IS NULL")
    op.create_table(
        "relay_events",
        sa.Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("account_id", sa.LargeBinary, nullable=False),
        sa.Column("target", sa.Text, nullable=False, comment="a context, or one session's protocol"),
        sa.Column("context", sa.Text, nullable=False),
        sa.Column("message_id", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("error_code", sa.Integer),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("node", sa.LargeBinary),
        sa.Index("relay_events_waiting", "account_id", "target", "seq", sqlite_where=is_free, postgresql_where=is_free),
    )
    op.create_table(
        "relay_sessions",
        sa.Column("protocol", sa.Text, primary_key=True),
        sa.Column("account_id", sa.LargeBinary, nullable=False),
        sa.Column("contexts", sa.Text, nullable=False, comment="JSON list"),
        sa.Column("node", sa.LargeBinary, comment="where it is connected"),
        sa.Column("updated_at", sa.BigInteger, nullable=False),
        sa.Index("relay_sessions_account", "account_id"),
        sqlite_with_rowid=False,
    )
