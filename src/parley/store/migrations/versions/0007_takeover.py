"""A Relay session that a client took to another node says which node still has its old connection."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column(
        "relay_sessions", sa.Column("taken_from", sa.LargeBinary, comment="the node that is to end its old connection")
    )
    is_taken = sa.text("taken_from IS NOT NULL")
    op.create_index(
        "relay_sessions_taken", "relay_sessions", ["taken_from"], sqlite_where=is_taken, postgresql_where=is_taken
    )
