"""What went wrong with webhooks, found by account: such notes are few among the events."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    is_noted = sa.text("kind = 'webhook'")
    op.create_index(
        "events_webhook", "events", ["account_id", "at", "seq"], sqlite_where=is_noted, postgresql_where=is_noted
    )
