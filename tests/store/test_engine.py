"""What holds for every operation: isolation, snapshots, losing the database and finding it again."""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from parley.store import Engine, Operation, StoreUnavailable, schema, settings
from parley.store.connect import UrlError, open_engine
from parley.store.engine.sqlite import SqliteEngine
from parley.store.engine.statements import Execute, Insert, Row
from tests.store.tables import create


def _broken() -> Operation[None]:
    yield from settings.put("half", "{}", 1)
    raise ArithmeticError("not today")


async def test_an_operation_that_fails_changes_nothing_and_troubles_nobody(engine: Engine) -> None:
    before = engine.write(settings.put, "before", "1", 1)
    broken = engine.write(_broken)
    after = engine.write(settings.put, "after", "2", 1)
    with pytest.raises(ArithmeticError):
        await broken
    await asyncio.gather(before, after)
    stored = [await engine.read(settings.fetch, key) for key in ("before", "half", "after")]
    assert stored == ["1", None, "2"]


async def test_what_was_written_is_read(engine: Engine) -> None:
    await engine.write(settings.put, "key", "1", 1)
    await engine.write(settings.put, "key", "2", 2)
    assert await engine.read(settings.fetch, "key") == "2"
    assert engine.last_commit_failed is None


async def test_a_commit_wakes_who_waits_for_a_change(engine: Engine) -> None:
    waiting = asyncio.create_task(engine.wait_for_change(60))
    await asyncio.sleep(0)
    await engine.write(settings.put, "key", "1", 1)
    await asyncio.wait_for(waiting, 10)
    await engine.wait_for_change(0)  # nothing more came


async def test_a_reader_cannot_write(engine: Engine) -> None:
    with pytest.raises((StoreUnavailable, asyncpg.PostgresError)):
        await engine.read(settings.put, "key", "1", 1)
    assert await engine.read(settings.fetch, "key") is None


async def test_an_operation_that_miscounts_fails_and_the_writer_lives(engine: Engine) -> None:
    def miscounting(items: Sequence[str]) -> Operation[list[int]]:
        yield from settings.put("key", "1", 1)
        return []

    with pytest.raises(TypeError, match="0 results for 1 items"):
        await engine.lane(miscounting).put("item")
    await engine.write(settings.put, "key", "2", 1)


async def test_a_commit_whose_follow_up_fails_stands_and_the_writer_lives(engine: Engine) -> None:
    def fail(results: list[None]) -> None:
        raise ValueError(results)

    lane = engine.lane(_put_each, fail)
    for key in ("one", "two"):
        await lane.put(key)
        assert await engine.read(settings.fetch, key) is not None


async def test_what_waits_is_committed_before_the_store_closes(url: str) -> None:
    engine = open_engine(url)
    await engine.open()
    lane = engine.lane(_put_each)
    writes = [engine.write(settings.put, "single", "1", 1), lane.put("laned")]
    await engine.close()
    assert all(write.done() and write.exception() is None for write in writes)
    for late in (engine.write(settings.put, "late", "1", 1), lane.put("late")):
        with pytest.raises(StoreUnavailable, match="closed"):
            await late
    again = open_engine(url)
    await again.open()
    assert [await again.read(settings.fetch, key) for key in ("single", "laned", "late")] == ["1", "1", None]
    await again.close()


def _put_each(keys: Sequence[str]) -> Operation[list[None]]:
    for key in keys:
        yield from settings.put(key, "1", 1)
    return [None] * len(keys)


async def test_a_row_that_lacks_something_is_not_passed_over_as_one_that_is_there_already(engine: Engine) -> None:
    def put(*rows: Row) -> Operation[None]:
        yield Insert(schema.settings, rows, ignore=True)

    await engine.write(put, ("key", "1", 1))
    await engine.write(put, ("key", "2", 2), ("other", "3", 3))
    with pytest.raises((sqlite3.IntegrityError, asyncpg.NotNullViolationError)):
        await engine.write(put, ("third", None, 3))
    assert [await engine.read(settings.fetch, key) for key in ("key", "other", "third")] == ["1", "3", None]


async def test_text_of_any_script_and_any_octets_come_back_as_they_were(engine: Engine) -> None:
    written = "Ünïcødé \U0001f44b שלום \u200d ' \" ; -- % _ \\ \r\n"
    await engine.write(settings.put, "key", written, 1)
    assert await engine.read(settings.fetch, "key") == written


async def test_a_full_disk_is_told_and_got_over(sqlite_store_url: str) -> None:
    engine = open_engine(sqlite_store_url)
    assert isinstance(engine, SqliteEngine)
    await engine.open()
    try:
        await engine.write(_execute, "CREATE TABLE filler (octets BLOB)")
        await engine.write(_execute, "PRAGMA max_page_count = 3")
        with pytest.raises(StoreUnavailable, match="full"):
            await engine.write(_execute, "INSERT INTO filler VALUES (zeroblob(100000))")
        failed = engine.last_commit_failed
        await engine.write(_execute, "PRAGMA max_page_count = 1000000")
        await engine.write(_execute, "INSERT INTO filler VALUES (zeroblob(100000))")
        assert (failed is not None, engine.last_commit_failed) == (True, None)
    finally:
        await engine.close()


def _execute(sql: str) -> Operation[None]:
    yield Execute(text(sql))


async def test_a_place_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no database" * 500)
    for path in (tmp_path, tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StoreUnavailable, match="cannot open"):
            await open_engine(f"sqlite:///{path}").open()


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    for url in ("postgresql://nobody@127.0.0.1:1/none", "postgres://127.0.0.1:1/none?sslmode=never"):
        with pytest.raises(StoreUnavailable):
            await open_engine(url).open()


async def _cut_off(url: str) -> int:
    """End every connection of ours to this database, as an administrator or a failover does."""
    connection = await asyncpg.connect(url)
    try:
        sql = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'parley'"
        )
        cut = await connection.fetchval(sql)
        assert isinstance(cut, int)
        return cut
    finally:
        await connection.close()


async def test_connections_that_die_while_idle_are_replaced_unnoticed(postgres_store_url: str) -> None:
    await create(postgres_store_url)
    engine = open_engine(postgres_store_url)
    await engine.open()
    try:
        await engine.write(settings.put, "key", "1", 1)
        assert await engine.read(settings.fetch, "key") == "1"
        for value in ("2", "3"):
            assert await _cut_off(postgres_store_url) >= 2
            await engine.write(settings.put, "key", value, 1)
            assert await engine.read(settings.fetch, "key") == value
    finally:
        await engine.close()


async def test_a_connection_that_dies_mid_way_loses_nothing(postgres_store_url: str) -> None:
    await create(postgres_store_url)
    engine = open_engine(postgres_store_url)
    await engine.open()
    runs: list[int] = []

    def suicidal(times: int) -> Operation[str]:
        yield from settings.put("key", "1", 1)
        runs.append(1)
        if len(runs) <= times:
            yield Execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return "done"

    try:
        assert await engine.write(suicidal, 1) == "done"
        assert len(runs) == 2
        runs.clear()
        with pytest.raises(StoreUnavailable):
            await engine.write(suicidal, 100)
        lost = engine.last_commit_failed
        await engine.write(settings.put, "key", "2", 1)
        assert (lost is not None, engine.last_commit_failed) == (True, None)
        assert await engine.read(settings.fetch, "key") == "2"
    finally:
        await engine.close()


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite:///var/parley.db", "var/parley.db"), ("sqlite:////tmp/a%20b%3F.db", "/tmp/a b?.db")],
)
def test_a_sqlite_url_names_a_file(url: str, path: str) -> None:
    engine = open_engine(url)
    assert isinstance(engine, SqliteEngine)
    assert engine.path == Path(path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "parley.db",
        "sqlite:parley.db",
        "sqlite://parley.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///dir/",
        "sqlite:///parley.db?mode=ro",
        "sqlite:///parley.db#main",
        "mysql://root:pw@localhost/parley",
        "postgresql://localhost",
        "postgresql://localhost:port/parley",
        "http://[::1/x",
    ],
)
def test_any_other_url_is_refused_with_what_it_has_to_be(url: str) -> None:
    with pytest.raises(UrlError, match="sqlite:///relative/path") as refused:
        open_engine(url)
    assert "pw" not in str(refused.value)
