"""Callbacks that were given up, found by account: they are few, and looked for in order to replay them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_index(
        "callbacks_given_up",
        "callbacks",
        ["account_id", "id"],
        sqlite_where=sa.text("state = 'gave_up'"),
        postgresql_where=sa.text("state = 'gave_up'"),
    )
