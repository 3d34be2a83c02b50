"""The nodes on this database, and what operators set while they run."""

from typing import Final

from sqlalchemy import BigInteger, Column, LargeBinary, Table, Text

from parley.store.schema.definition import metadata

nodes: Final = Table(
    "nodes",
    metadata,
    Column("id", LargeBinary, primary_key=True, comment="one life of one process"),
    Column("name", Text, nullable=False),
    Column("alive_until", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

settings: Final = Table(
    "settings",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False, comment="JSON"),
    Column("updated_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
