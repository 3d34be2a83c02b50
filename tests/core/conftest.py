"""An empty store on SQLite, a clock turned by hand, and nodes over them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from parley.store import Engine
from parley.store.connect import open_engine
from tests.carriers.scripted import ScriptedCarrier
from tests.clock import ManualClock
from tests.core.node import Node
from tests.places import lay

MakeNode = Callable[..., Awaitable[Node]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    lay(tmp_path / "parley.db")
    engine = open_engine(f"sqlite:///{tmp_path}/parley.db")
    await engine.open()
    try:
        yield engine
    finally:
        await engine.close()


@pytest.fixture
async def make_node(engine: Engine, clock: ManualClock) -> AsyncIterator[MakeNode]:
    """Return a maker of nodes that share the store."""
    made: list[Node] = []

    async def make(carrier: ScriptedCarrier | None = None, **options: Any) -> Node:
        node = Node(engine, clock, carrier or ScriptedCarrier(), seed=len(made) + 1, **options)
        made.append(await node.start())
        return node

    yield make
    for node in made:
        await node.die()


@pytest.fixture
async def node(make_node: MakeNode) -> Node:
    """Return a node whose carrier cannot tell a repeated submit, and names each segment."""
    return await make_node()
