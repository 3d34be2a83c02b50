"""Bring a database's schema to what this version needs. Forward only.

A start against a database that is there already costs one query: Alembic is imported only when there is work.
"""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any, Final

from parley.store.connect import postgres_url, sqlite_path
from parley.store.engine.statements import StoreUnavailable

HEAD: Final = "0010"
"""The revision that this version's code is written for."""
_VERSION: Final = "SELECT version_num FROM alembic_version"
_LOCK: Final = 0x7061_726C_6579
"""Key of the advisory lock under which nodes that start together migrate one after the other: `parley` in ASCII."""
_DIRECTORY: Final = Path(__file__).with_name("migrations")
TIMEOUT_S: Final = 10.0
"""A database that says nothing for so long is taken to be away."""


class SchemaError(Exception):
    """The database cannot be brought to this version's schema; the text says what to do."""


async def migrate(url: str) -> tuple[str | None, str]:
    """Bring a database to HEAD: the revision it had, None for an empty one, and the one it has now.

    Raises UrlError, StoreUnavailable, and SchemaError for a database of a newer version.
    """
    before = await current(url)
    if before == HEAD:
        return before, HEAD
    path = sqlite_path(url)
    if path is not None:
        return await asyncio.to_thread(_migrate_sqlite, path)
    return await _migrate_postgres(postgres_url(url))


async def current(url: str) -> str | None:
    """The revision that a database has; None when it is empty or absent. Raises UrlError, StoreUnavailable."""
    path = sqlite_path(url)
    if path is not None:
        return await asyncio.to_thread(_current_sqlite, path)
    return await _current_postgres(postgres_url(url))


def _current_sqlite(path: Path) -> str | None:
    if not path.exists():
        return None
    try:
        connection = sqlite3.connect(path, timeout=TIMEOUT_S)
        try:
            row = connection.execute(_VERSION).fetchone()
        finally:
            connection.close()
    except sqlite3.Error as problem:
        if "no such table" in str(problem):
            return None
        raise StoreUnavailable(f"cannot read {path}: {problem}") from problem
    return None if row is None else str(row[0])


async def _current_postgres(url: str) -> str | None:
    import asyncpg  # noqa: PLC0415  # only where it is used

    try:
        connection = await asyncpg.connect(url, timeout=TIMEOUT_S, command_timeout=TIMEOUT_S)
        try:
            version = await connection.fetchval(_VERSION)
        finally:
            await connection.close(timeout=TIMEOUT_S)
    except asyncpg.UndefinedTableError:
        return None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        said = str(problem) or f"no answer within {TIMEOUT_S:g} s"
        raise StoreUnavailable(f"cannot read the database: {said}") from problem
    return None if version is None else str(version)


def _migrate_sqlite(path: Path) -> tuple[str | None, str]:
    import sqlalchemy  # noqa: PLC0415  # see the module's docstring

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise StoreUnavailable(f"cannot make the directory of {path}: {problem.strerror}") from problem
    engine = sqlalchemy.create_engine(
        sqlalchemy.URL.create("sqlite", database=str(path)), connect_args={"timeout": TIMEOUT_S}
    )
    # The driver would begin a transaction only before the first change of a row, and leave DDL out of it.
    sqlalchemy.event.listen(engine, "connect", lambda dbapi, _: setattr(dbapi, "isolation_level", None))
    sqlalchemy.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            return _upgrade(connection)
    except sqlalchemy.exc.DBAPIError as problem:
        raise StoreUnavailable(f"cannot migrate {path}: {problem.orig}") from problem
    finally:
        engine.dispose()


async def _migrate_postgres(url: str) -> tuple[str | None, str]:
    import asyncpg  # noqa: PLC0415  # see the module's docstring
    import sqlalchemy  # noqa: PLC0415  # same
    from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  # same

    def upgrade(connection: Any) -> tuple[str | None, str]:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        return _upgrade(connection)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url, timeout=TIMEOUT_S))
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(upgrade)
    except (OSError, sqlalchemy.exc.DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        raise StoreUnavailable(f"cannot migrate the database: {problem}") from problem
    finally:
        await engine.dispose()


def _upgrade(connection: Any) -> tuple[str | None, str]:
    """Run what is missing, inside the transaction that `connection` has begun."""
    from alembic import command  # noqa: PLC0415  # see the module's docstring
    from alembic.config import Config  # noqa: PLC0415  # same
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415  # same
    from alembic.script import ScriptDirectory  # noqa: PLC0415  # same

    before = MigrationContext.configure(connection).get_current_revision()
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_DIRECTORY).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if before is not None and before not in known:
        raise SchemaError(
            f"the database has schema {before}, which is newer than this version of Parley ({HEAD}): upgrade Parley"
        )
    command.upgrade(config, "head")
    return before, HEAD
