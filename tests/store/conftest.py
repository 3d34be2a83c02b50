"""A store, empty and open, for each test and on each engine."""

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from parley.store import Engine
from parley.store.connect import open_engine
from tests.clock import ManualClock
from tests.postgres import Server, run
from tests.store.records import Records
from tests.store.tables import create, empty


@pytest.fixture(scope="session")
def _postgres_tables(postgres_server: Server) -> Iterator[str]:
    name = f"parley_store_{secrets.token_hex(6)}"
    try:
        url = postgres_server.create(name)
        run(create(url))
        yield url
    finally:
        postgres_server.drop(name)


@pytest.fixture
def url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Return a database with empty tables. On PostgreSQL emptied, which is quicker than made anew."""
    if engine_name == "sqlite":
        url = f"sqlite:///{tmp_path}/parley.db"
        run(create(url))
        return url
    tables: str = request.getfixturevalue("_postgres_tables")
    run(empty(tables))
    return tables


@pytest.fixture(params=["sqlite", "postgresql"])
def engine_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
async def engine(url: str) -> AsyncIterator[Engine]:
    engine = open_engine(url)
    await engine.open()
    try:
        yield engine
    finally:
        await engine.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def records(clock: ManualClock) -> Records:
    return Records(clock)
