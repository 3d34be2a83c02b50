from pathlib import Path

import pytest

from tests import npm
from tests.server import Server


@pytest.fixture(scope="module")
def node(server: Server) -> dict[str, str]:
    """An environment for Node with the official SDK, and where the server is and its credentials."""
    return npm.environment(
        Path(__file__).parent,
        PARLEY_URL=server.base_url,
        TWILIO_ACCOUNT_SID=server.account_sid,
        TWILIO_AUTH_TOKEN=server.auth_token,
    )
