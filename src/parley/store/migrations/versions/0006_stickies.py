"""Sticky senders are read from the messages: their table goes."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.drop_table("stickies")
