"""Limits as clients see them: 429 in each dialect's shape, when to come again, and what is left."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.clock import ManualClock
from tests.server import Server, serve

Ask = Callable[[Server], requests.Response]


def twilio(server: Server) -> requests.Response:
    path = f"/2010-04-01/Accounts/{server.account_sid}/Messages.json"
    form = {"To": "+15557000001", "From": "+15551234567", "Body": "hello"}
    return requests.post(server.base_url + path, data=form, auth=server.auth, timeout=30)


def signalwire(server: Server) -> requests.Response:
    given = {"to": "+15557000001", "from": "+15551234567", "body": "hello"}
    return requests.post(
        f"{server.base_url}/api/messaging/messages", json=given, auth=(server.project_id, server.auth_token), timeout=30
    )


def relay(server: Server) -> requests.Response:
    given = {"name": "Support"}
    return requests.put(
        f"{server.base_url}/api/relay/rest/phone_numbers/00000000-0000-7000-8000-000000000000",
        json=given,
        auth=(server.project_id, server.auth_token),
        timeout=30,
    )


def check_twilio(body: dict[str, Any], detail: str) -> None:
    assert (body["code"], body["status"], body["message"]) == (20429, 429, detail)


def check_signalwire(body: dict[str, Any], detail: str) -> None:
    (error,) = body["errors"]
    assert (error["code"], error["message"]) == ("rate_limit_exceeded", detail)


def check_relay(body: dict[str, Any], detail: str) -> None:
    (error,) = body["errors"]
    assert (error["code"], error["status"], error["detail"]) == ("rate_limit_exceeded", "429", detail)


DIALECTS = pytest.mark.parametrize(
    ("ask", "check"), [(twilio, check_twilio), (signalwire, check_signalwire), (relay, check_relay)]
)


@DIALECTS
def test_beyond_its_rate_an_account_is_refused_until_it_waited(
    ask: Ask, check: Callable[[dict[str, Any], str], None], sqlite_store_url: str
) -> None:
    clock = ManualClock()
    with serve(sqlite_store_url, clock, api_rate=0.5, api_burst=1) as server:
        first = ask(server)
        assert first.status_code != 429
        assert {name: value for name, value in first.headers.items() if name.startswith("x-rate-limit-")} == {
            "x-rate-limit-limit": "1",
            "x-rate-limit-remaining": "0",
            "x-rate-limit-reset": "2",
        }
        refused = ask(server)
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "2"
        assert refused.headers["x-rate-limit-remaining"] == "0"
        check(refused.json(), "Too many requests of this account; try again later")
        read = requests.get(
            f"{server.base_url}/api/messaging/logs", auth=(server.project_id, server.auth_token), timeout=30
        )
        assert read.status_code == 200
        clock.advance(2)
        assert ask(server).status_code != 429


@DIALECTS
def test_beyond_the_intake_everybody_is_refused_at_once(
    ask: Ask, check: Callable[[dict[str, Any], str], None], server: Server
) -> None:
    limits = server.app.limits
    before, limits.writes = limits.writes, 4000
    try:
        refused = ask(server)
    finally:
        limits.writes = before
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert "x-rate-limit-limit" not in refused.headers
    check(refused.json(), "Too many requests wait to be recorded; try again shortly")
    assert ask(server).status_code != 429
    assert limits.writes == 0


@pytest.mark.parametrize("path", ["/messaging/v1/Deactivations/token", "/api/messaging/media/token"])
def test_links_without_credentials_are_within_them(path: str, server: Server) -> None:
    limits = server.app.limits
    before, limits.reads = limits.reads, 4000
    try:
        refused = requests.get(server.base_url + path, timeout=30)
    finally:
        limits.reads = before
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert requests.get(server.base_url + path, timeout=30).status_code == 404
    assert limits.reads == 0


def test_requests_at_once_are_bounded_for_each_account(sqlite_store_url: str) -> None:
    with serve(sqlite_store_url, api_concurrency=1) as server:
        server.app.limits.enter(server.account_id, is_write=False)
        assert twilio(server).status_code == 429
        server.app.limits.depart(server.account_id)
        assert twilio(server).status_code == 201


def test_the_official_client_knows_the_refusal(tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db", ManualClock(), api_rate=1, api_burst=1) as server:
        client = Client(*server.auth)
        client.api.base_url = server.base_url
        client.messages.create(to="+15557000001", from_="+15551234567", body="one")
        with pytest.raises(TwilioRestException) as refused:
            client.messages.create(to="+15557000001", from_="+15551234567", body="two")
    assert (refused.value.status, refused.value.code) == (429, 20429)


def test_what_waits_is_counted_in_the_metrics(server: Server) -> None:
    told = requests.get(f"{server.base_url}/metrics", timeout=30).text
    assert 'parley_requests_waiting{kind="write"} 0.0' in told
    assert "\nparley_intake_waiting " in told
