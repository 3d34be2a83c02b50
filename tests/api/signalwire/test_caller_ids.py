"""Verified caller ids in the strict profile: the phone is called, hears a code, and is verified by whoever tells it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.signalwire.client import Client
from tests.api.twilio.client import client_of
from tests.clock import AheadClock
from tests.server import Server, serve

PATH = "/api/relay/rest/verified_caller_ids"
CLOCK = AheadClock()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path: Path = tmp_path_factory.mktemp("parley")
    with serve(f"sqlite:///{path}/parley.db", CLOCK, profile="strict") as server:
        yield server


def heard(client: Client, phone: str) -> list[str]:
    """The codes that a phone heard, the latest first."""
    calls = client.raw("GET", f"/simulator/phones/{phone}/calls").json()["calls"]
    return [entry["text"].rpartition(" ")[2] for call in calls for entry in call["transcript"]]


def refused(client: Client, method: str, path: str, **given: Any) -> list[str]:
    return [code for code, _ in client.codes(method, path, **given)]


def test_a_phone_is_verified_by_the_code_that_it_heard(client: Client, server: Server) -> None:
    phone = "+14155550111"
    made = client.ask("POST", PATH, 201, json={"number": phone, "name": "Desk"})
    assert (made["verified"], made["verified_at"], made["status"]) == (False, None, "Awaiting Verification")
    (code,) = heard(client, phone)
    sent = {"from": phone, "to": "+14155550123", "body": "Hello"}
    assert refused(client, "POST", "/api/messaging/messages", json=sent) == ["invalid_from_number"]
    verified = client_of(server).outgoing_caller_ids
    assert verified.list(phone_number=phone) == []
    twilio = f"/2010-04-01/Accounts/{server.account_sid}/OutgoingCallerIds/{made['id']}.json"
    assert client.raw("GET", twilio).status_code == 404
    assert refused(client, "POST", PATH, json={"number": phone}) == ["already_assigned"]
    one = f"{PATH}/{made['id']}"
    wrong = {"verification_code": "000000" if code != "000000" else "111111"}
    assert refused(client, "PUT", f"{one}/verification", json=wrong) == ["invalid_parameter"]
    done = client.ask("PUT", f"{one}/verification", 200, json={"verification_code": code})
    assert (done["verified"], done["status"]) == (True, "Verified")
    assert client.ask("GET", one, 200) == done
    assert client.raw("GET", twilio).json()["phone_number"] == phone
    assert refused(client, "POST", "/api/messaging/messages", json=sent) == ["verified_caller_id_not_permitted"]
    assert [each.phone_number for each in verified.list(phone_number=phone)] == [phone]
    assert client.ask("POST", f"{one}/verification", 200) == done, "nobody is called who is verified"
    assert len(heard(client, phone)) == 1


def test_a_code_is_good_for_five_attempts_and_a_phone_is_called_so_often(client: Client) -> None:
    phone = "+14155550112"
    one = f"{PATH}/{client.ask('POST', PATH, 201, json={'number': phone})['id']}/verification"
    (code,) = heard(client, phone)
    for _ in range(5):
        assert refused(client, "PUT", one, json={"verification_code": "x"}) == ["invalid_parameter"]
    assert refused(client, "PUT", one, json={"verification_code": code}) == ["invalid_parameter"]
    assert refused(client, "POST", one) == ["rate_limit_exceeded"], "not within a minute"
    for _ in range(9):
        CLOCK.ahead_s += 61
        client.ask("POST", one, 200)
    CLOCK.ahead_s += 61
    assert refused(client, "POST", one) == ["rate_limit_exceeded"], "not more than ten times within a week"
    assert len(heard(client, phone)) == 10
    client.ask("PUT", one, 200, json={"verification_code": heard(client, phone)[0]})
