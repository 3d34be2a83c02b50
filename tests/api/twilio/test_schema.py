"""Whatever a generator makes of Twilio's description of its messages: never a 5xx, and every error in its shape."""

import json
from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from tests.api.twilio.client import client_of
from tests.openapi import SPECS, validate_answer
from tests.server import Server

ACCOUNT: Final = "/2010-04-01/Accounts/{AccountSid}"
OPERATIONS: Final = (
    ("POST", f"{ACCOUNT}/Messages.json"),
    ("GET", f"{ACCOUNT}/Messages.json"),
    ("GET", f"{ACCOUNT}/Messages/{{Sid}}.json"),
    ("POST", f"{ACCOUNT}/Messages/{{Sid}}.json"),
    ("DELETE", f"{ACCOUNT}/Messages/{{Sid}}.json"),
    ("GET", f"{ACCOUNT}/Messages/{{MessageSid}}/Media.json"),
    ("POST", f"{ACCOUNT}/Messages/{{MessageSid}}/Feedback.json"),
    ("GET", f"{ACCOUNT}/IncomingPhoneNumbers.json"),
    ("POST", f"{ACCOUNT}/IncomingPhoneNumbers.json"),
    ("GET", f"{ACCOUNT}/AvailablePhoneNumbers/{{CountryCode}}/Local.json"),
    ("POST", f"{ACCOUNT}/Applications.json"),
)
SCHEMA: Final = schemathesis.openapi.from_dict(json.loads((SPECS / "twilio_api_v2010.json").read_text()))


@pytest.fixture
def names(server: Server) -> dict[str, str]:
    """Return path parameters that name something."""
    sent = client_of(server).messages.create(to="+15550007001", from_="+15551234567", body="x", provide_feedback=True)
    sid = str(sent.sid)
    return {"AccountSid": server.account_sid, "Sid": sid, "MessageSid": sid, "CountryCode": "US"}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_never_a_5xx(server: Server, names: dict[str, str], method: str, path: str, mode: GenerationMode) -> None:
    cases = SCHEMA[path][method].as_strategy(generation_mode=mode)
    session = requests.Session()
    session.auth = server.auth

    @given(st.data())
    @settings(
        max_examples=30,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    def holds(data: st.DataObject) -> None:
        case: Any = data.draw(cases)
        real = data.draw(st.sampled_from([names, names, {"AccountSid": server.account_sid}, {}]))
        case.path_parameters = {**case.path_parameters, **{k: v for k, v in real.items() if k in case.path_parameters}}
        response = case.call(base_url=server.base_url, session=session)
        assert response.status_code < 500
        if response.status_code >= 400 or response.status_code != 204:
            validate_answer(method, path, response.status_code, response.json())

    holds()
