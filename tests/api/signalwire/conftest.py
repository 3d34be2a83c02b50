"""A client for each test of the SignalWire dialect."""

import pytest

from tests.api.signalwire.client import Client
from tests.server import Server


@pytest.fixture
def client(server: Server) -> Client:
    """Return a client of the module's server."""
    return Client(server)
