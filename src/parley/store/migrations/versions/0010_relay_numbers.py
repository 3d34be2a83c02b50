"""SQLite, too, gives no Relay event the number of one that is gone.

A node whose commit was told as failed, though it stands, forgets the same events once more; a new one was among them.
"""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("relay_events", recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass
