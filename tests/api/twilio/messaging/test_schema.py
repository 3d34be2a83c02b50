"""Whatever a generator makes of Twilio's description of services and senders: never a 5xx, each answer in its shape."""

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

SERVICES: Final = "/v1/Services"
OPERATIONS: Final = (
    ("GET", SERVICES),
    ("POST", SERVICES),
    ("POST", f"{SERVICES}/{{Sid}}"),
    ("POST", f"{SERVICES}/{{ServiceSid}}/PhoneNumbers"),
    ("POST", f"{SERVICES}/{{ServiceSid}}/AlphaSenders"),
    ("GET", f"{SERVICES}/{{ServiceSid}}/DestinationAlphaSenders"),
    ("POST", f"{SERVICES}/{{ServiceSid}}/DestinationAlphaSenders"),
    ("POST", f"{SERVICES}/{{MessagingServiceSid}}/ChannelSenders"),
    ("GET", "/v2/Channels/Senders"),
    ("POST", "/v2/Channels/Senders"),
)
SCHEMAS: Final = {
    version: schemathesis.openapi.from_dict(json.loads((SPECS / f"twilio_messaging_{version}.json").read_text()))
    for version in ("v1", "v2")
}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_never_a_5xx(server: Server, method: str, path: str, mode: GenerationMode) -> None:
    cases = SCHEMAS[path[1:3]][path][method].as_strategy(generation_mode=mode)
    sid = str(client_of(server).messaging.v1.services.create(friendly_name="x").sid)
    session = requests.Session()
    session.auth = server.auth

    @given(case=cases, is_known=st.booleans())
    @settings(
        max_examples=10,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    def holds(case: Any, is_known: bool) -> None:
        if is_known:
            case.path_parameters = dict.fromkeys(case.path_parameters, sid)
        response = case.call(base_url=f"{server.base_url}/messaging", session=session)
        assert response.status_code < 500
        validate_answer(method, f"/messaging{path}", response.status_code, response.json())

    holds()
