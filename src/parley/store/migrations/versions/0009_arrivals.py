"""A phone's inbox is found by the messages to it: the index of its own goes."""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.drop_index("arrivals_phone", "arrivals")
