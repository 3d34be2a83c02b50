"""A server for each module of webhook tests, on a clock that the tests turn."""

from collections.abc import Iterator

import pytest

from tests.clock import ManualClock
from tests.receiver import Receiver
from tests.server import Server, serve
from tests.webhooks.app import World

_used = iter(range(1_000_000, 9_000_000, 1_000))


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, ManualClock]]:
    """Return a server and its clock."""
    clock = ManualClock()
    with serve(f"sqlite:///{tmp_path_factory.mktemp('webhooks')}/parley.db", clock) as server:
        yield server, clock


@pytest.fixture
def world(turned: tuple[Server, ManualClock], receiver: Receiver) -> World:
    """Return numbers, requests and an app of this test's own."""
    return World(*turned, receiver, next(_used))
