"""A store, empty and open, for each test and on each engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parley.store import Engine
from parley.store.connect import open_engine
from tests.clock import ManualClock
from tests.places import Tables, lay
from tests.store.records import Records


@pytest.fixture
def postgres_store_url(empty_postgres_url: str) -> str:
    """Return a database without tables: the tests of the store make them."""
    return empty_postgres_url


@pytest.fixture
def url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Return a database with empty tables."""
    if engine_name == "sqlite":
        lay(tmp_path / "parley.db")
        return f"sqlite:///{tmp_path}/parley.db"
    tables: Tables = request.getfixturevalue("_postgres_tables")
    tables.empty()
    return tables.url


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
