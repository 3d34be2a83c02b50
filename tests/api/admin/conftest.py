"""A client of Parley's own API for each test."""

import pytest

from tests.api.admin.client import Client
from tests.server import Server


@pytest.fixture
def client(server: Server) -> Client:
    """Return a client of the module's server."""
    return Client(server)
