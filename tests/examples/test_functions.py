"""The examples in Node, which are run by tests of their own: functions.test.js."""

import re
from pathlib import Path

from tests import npm
from tests.examples.conftest import EXAMPLES
from tests.server import Server

HERE = Path(__file__).parent


def test_functions(server: Server) -> None:
    env = npm.environment(
        HERE.parent / "api" / "twilio" / "node",
        PARLEY_URL=server.base_url,
        TWILIO_ACCOUNT_SID=server.account_sid,
        TWILIO_AUTH_TOKEN=server.auth_token,
    )
    said = npm.run(env, HERE / "functions.test.js")
    assert "\n# fail 0\n" in said
    assert "\n# pass 9\n" in said


def test_every_function_is_tested() -> None:
    tests = (HERE / "functions.test.js").read_text("utf-8")
    for function in (EXAMPLES / "twilio" / "functions").glob("*.js"):
        assert re.search(rf"['/]{function.name.partition('.')[0]}['.?`]", tests), function.name
