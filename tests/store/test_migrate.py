"""Migrations: they make the schema that the code is written for, once, whoever starts first."""

import asyncio
import re
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from msgspec import json
from msgspec.structs import asdict
from sqlalchemy.ext.asyncio import create_async_engine

from parley.model.account import ApiKey
from parley.model.call import Call, Placed
from parley.store import StoreUnavailable, accounts, calls, messages, resources
from parley.store import migrate as module
from parley.store.connect import UrlError, open_engine
from parley.store.migrate import HEAD, SchemaError, current, migrate
from tests.clock import ManualClock
from tests.store.records import Records
from tests.store.tables import definition, execute

ACCOUNT = b"a" * 16
SCRIPTS = Path(str(module.__file__)).with_name("migrations")


async def test_an_empty_database_is_brought_to_head_and_then_left_alone(store_url: str) -> None:
    assert await current(store_url) is None
    assert await migrate(store_url) == (None, HEAD)
    assert await current(store_url) == HEAD
    assert await migrate(store_url) == (HEAD, HEAD)


async def test_nodes_that_start_together_migrate_once(store_url: str) -> None:
    outcomes = await asyncio.gather(*(migrate(store_url) for _ in range(4)))
    assert sorted(outcomes, key=str) == [(HEAD, HEAD)] * 3 + [(None, HEAD)]


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(store_url: str) -> None:
    await migrate(store_url)
    await execute(store_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaError, match=r"9999.*upgrade Parley"):
        await migrate(store_url)
    assert await current(store_url) == "9999"


async def test_what_an_older_version_kept_is_there_after_it_was_brought_to_head(
    store_url: str, clock: ManualClock
) -> None:
    """A key of the first version, which might do all; and a call of the one that kept calls among the resources."""
    key, call = b"k" * 16, Call("inbound", "+1555", "+1556", "completed", 1, 2, ({"method": "answer"},))
    message = Records(clock).message(account_id=ACCOUNT)
    await _bring(store_url, "0001")
    await _keep(store_url, "api_keys", id=key, account_id=ACCOUNT, name="ci", secret_hash="scrypt$...", created_at=7)
    await _keep(store_url, "messages", **{name: each for name, each in asdict(message).items() if name != "price"})
    await _bring(store_url, "0004")
    kept = {"id": b"c" * 16, "account_id": ACCOUNT, "kind": "call", "data": json.encode(call).decode()}
    await _keep(store_url, "resources", **kept, created_at=1, updated_at=1, revision=0)
    await _keep(
        store_url, "resources", **{**kept, "id": b"s" * 16, "kind": "service"}, created_at=1, updated_at=1, revision=0
    )

    assert await migrate(store_url) == ("0004", HEAD)

    engine = open_engine(store_url)
    await engine.open()
    try:
        found = await engine.read(accounts.fetch_key, key)
        assert found == ApiKey(key, ACCOUNT, "ci", "scrypt$...", 7, kind="main", updated_at=7)
        assert await engine.read(messages.fetch, ACCOUNT, message.id) == message
        assert await engine.read(calls.newest, ACCOUNT, 9) == [Placed(b"c" * 16, call)]
        assert await engine.read(resources.count, ACCOUNT, "call") == 0
        assert await engine.read(resources.count, ACCOUNT, "service") == 1
    finally:
        await engine.close()


async def _bring(url: str, revision: str) -> None:
    """Make a database what it was at a revision."""

    def upgrade(connection: sqlalchemy.Connection) -> None:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(SCRIPTS))
        command.upgrade(config, revision)

    if url.startswith("sqlite:"):
        with sqlalchemy.create_engine(url).begin() as connection:
            upgrade(connection)
        return
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:", 1))
    try:
        async with engine.begin() as opened:
            await opened.run_sync(upgrade)
    finally:
        await engine.dispose()


async def _keep(url: str, table: str, **values: object) -> None:
    octets = "x'{}'" if url.startswith("sqlite:") else "'\\x{}'::bytea"
    spelled = [
        octets.format(each.hex())
        if isinstance(each, bytes)
        else "NULL"
        if each is None
        else f"'{each}'"
        if isinstance(each, str)
        else str(each)
        for each in values.values()
    ]
    await execute(url, f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(spelled)})")


async def test_migrated_and_defined_schema_are_the_same_on_sqlite(tmp_path: Path) -> None:
    await migrate(f"sqlite:///{tmp_path}/migrated.db")
    await execute(f"sqlite:///{tmp_path}/defined.db", definition("sqlite"))
    migrated, defined = (_sqlite_schema(tmp_path / name) for name in ("migrated.db", "defined.db"))
    migrated.pop("alembic_version")
    assert migrated == defined


def _sqlite_schema(path: Path) -> dict[str, list[object]]:
    """Each table's columns, keys and storage, and each index's own definition: a column that was added stands
    elsewhere in the text of its table.
    """
    connection = sqlite3.connect(path)
    found: dict[str, list[object]] = {}
    for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"):
        if kind == "table":
            columns = connection.execute(f"PRAGMA table_info({name})").fetchall()
            keys = connection.execute(f"PRAGMA index_list({name})").fetchall()
            found[name] = [*columns, *sorted(key[1:] for key in keys), "WITHOUT ROWID" in sql]
        else:
            found[name] = [re.sub(r"\s+", " ", sql)]
    connection.close()
    return found


async def test_migrated_and_defined_schema_are_the_same_on_postgresql(postgres_store_url: str) -> None:
    await migrate(postgres_store_url)
    sql = definition("postgresql+asyncpg")
    await execute(postgres_store_url, f"CREATE SCHEMA defined; SET search_path TO defined; {sql}")
    migrated, defined = [await _postgres_schema(postgres_store_url, name) for name in ("public", "defined")]
    assert migrated == defined
    assert len(migrated) > 150


_OURS = "= $1::text::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'"
_CATALOGUE = (
    # columns
    f"""SELECT relname, attnum, attname, format_type(atttypid, atttypmod), attnotnull,
            replace(pg_get_expr(adbin, adrelid), $1 || '.', ''), col_description(pg_class.oid, attnum)
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0
        LEFT JOIN pg_attrdef ON adrelid = pg_class.oid AND adnum = attnum
        WHERE relnamespace {_OURS}""",
    # storage
    f"SELECT relname, reloptions::text FROM pg_class WHERE relnamespace {_OURS}",
    """SELECT tablename, replace(indexdef, $1 || '.', '') FROM pg_indexes
        WHERE schemaname = $1 AND tablename <> 'alembic_version'""",
    """SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = $1::text::regnamespace AND conname NOT LIKE 'alembic%'""",
)


async def _postgres_schema(url: str, name: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(url)
    try:
        rows = [tuple(row) for query in _CATALOGUE for row in await connection.fetch(query, name)]
    finally:
        await connection.close()
    return sorted(rows, key=str)


def test_head_is_the_last_script() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_start_at_head_imports_no_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/parley.db"
    asyncio.run(migrate(url))
    code = (
        "import asyncio, sys\nfrom parley.store.migrate import migrate\n"
        f"print(asyncio.run(migrate({url!r})), 'alembic' in sys.modules, 'asyncpg' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"('{HEAD}', '{HEAD}') False False"


async def test_asking_makes_no_file(tmp_path: Path) -> None:
    assert await current(f"sqlite:///{tmp_path}/var/parley.db") is None
    assert list(tmp_path.iterdir()) == []


async def test_what_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no database" * 500)
    for url in (
        f"sqlite:///{tmp_path}/file",
        f"sqlite:///{tmp_path}/file/below.db",
        "postgresql://nobody@127.0.0.1:1/none",
    ):
        with pytest.raises(StoreUnavailable):
            await migrate(url)
    with pytest.raises(UrlError):
        await migrate("mysql://localhost/parley")


async def test_a_postgresql_that_says_nothing_is_told_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(StoreUnavailable, match=r"no answer within 0\.1 s"):
            await current(f"postgresql://postgres@127.0.0.1:{port}/parley")
