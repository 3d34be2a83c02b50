"""A store, made and open, for each test and on each engine."""

from collections.abc import AsyncIterator

import pytest

from parley.store import Engine
from parley.store.connect import open_engine
from tests.clock import ManualClock
from tests.store.records import Records
from tests.store.tables import create


@pytest.fixture
async def url(store_url: str) -> str:
    await create(store_url)
    return store_url


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
