"""The tables as the code defines them, made directly: quicker than migrating. test_migrate compares the two."""

import sqlite3
from functools import cache

import asyncpg
import sqlalchemy
from sqlalchemy.sql.ddl import ExecutableDDLElement

from parley.store import schema
from parley.store.connect import sqlite_path
from tests.places import lay


@cache
def definition(dialect: str) -> str:
    """Spell the schema in SQL for `sqlite` or `postgresql+asyncpg`."""
    statements: list[str] = []

    def collect(statement: ExecutableDDLElement, *_: object, **__: object) -> None:
        statements.append(str(statement.compile(dialect=mock.dialect)))

    mock = sqlalchemy.create_mock_engine(f"{dialect}://", collect)
    schema.metadata.create_all(mock, checkfirst=False)
    return ";\n".join(statements)


async def create(url: str) -> None:
    """Make the tables in an empty database."""
    path = sqlite_path(url)
    if path is None:
        await execute(url, definition("postgresql+asyncpg"))
    else:
        lay(path)


async def execute(url: str, sql: str) -> None:
    """Run any SQL, from outside of Parley."""
    path = sqlite_path(url)
    if path is not None:
        connection = sqlite3.connect(path)
        connection.executescript(sql)
        connection.close()
        return
    postgres = await asyncpg.connect(url)
    try:
        await postgres.execute(sql)
    finally:
        await postgres.close()
