"""A server for each module of webhook tests, on a clock that the tests turn."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.clock import ManualClock
from tests.receiver import Receiver
from tests.server import Server, serve
from tests.webhooks.app import Down, World

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


@pytest.fixture
def down() -> Iterator[Down]:
    """Return how to get a port on which nothing listens, and that no other process of this machine is given."""
    with ExitStack() as stack:

        def port() -> tuple[int, str]:
            taken = stack.enter_context(socket.socket())
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", 0))
            number: int = taken.getsockname()[1]
            return number, f"http://127.0.0.1:{number}/status"

        yield port
