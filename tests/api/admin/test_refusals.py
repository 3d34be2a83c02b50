"""Bad input to Parley's own API: a clear word in one shape, nothing changed, never a 5xx."""

from typing import Any

import pytest
import requests

from tests.api.admin.client import Client, phone

PHONE = "/simulator/phones/+15559999999"
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


def refused(answer: requests.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    said = answer.json()
    assert said.keys() == {"code", "message", "status"}
    assert said["status"] == status
    assert said["message"]


@pytest.mark.parametrize(
    "told",
    [
        {"reachable": "yes"},
        {"reachable": 1},
        {"reachable": None},
        {"delay_s": -1},
        {"delay_s": 1e9},
        {"delay_s": "1"},
        {"delay_s": True},
        {"outcome": "lost"},
        {"outcome": None},
        {"error_code": 0},
        {"error_code": 100_000},
        {"error_code": "30003"},
        {"error_code": 30003.5},
        {"reads": []},
        {"unknown": 1},
        {"phone": "+15551234567"},
    ],
    ids=repr,
)
def test_phones_cannot_be_told_just_anything(client: Client, told: Any) -> None:
    before = client.get(PHONE)
    refused(client.call("PUT", PHONE, json=told), 400)
    assert client.get(PHONE) == before


@pytest.mark.parametrize(
    "told",
    [
        {"reject_rate": 1.1},
        {"reject_rate": -0.1},
        {"throttle_rate": None},
        {"drop_receipt_rate": "all"},
        {"latency_s": 1e6},
        {"disconnect": "no"},
        {"chaos": True},
    ],
    ids=repr,
)
def test_faults_cannot_be_just_anything(client: Client, told: Any) -> None:
    before = client.get("/simulator/faults")
    refused(client.call("PUT", "/simulator/faults", json=told), 400)
    assert client.get("/simulator/faults") == before


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"reads":\xff}', b"[" * 60_000, b'{"reads":"\\ud800"}']
)
@pytest.mark.parametrize("call", [("PUT", PHONE), ("POST", f"{PHONE}/messages"), ("POST", f"{PHONE}/receipts")])
def test_what_is_no_json_object(client: Client, call: tuple[str, str], body: bytes) -> None:
    refused(client.call(*call, data=body, headers={"Content-Type": "application/json"}), 400)


def test_what_is_not_even_called_json(client: Client) -> None:
    refused(client.call("PUT", PHONE, data="reads=true", headers={"Content-Type": "text/plain"}), 415)


@pytest.mark.parametrize("call", [("PUT", PHONE), ("PUT", "/simulator/faults"), ("POST", f"{PHONE}/receipts")])
def test_what_is_too_large(client: Client, call: tuple[str, str]) -> None:
    refused(client.call(*call, json={"x": "a" * 70_000}), 413)


@pytest.mark.parametrize(
    "query",
    [
        {"wait": "-1"},
        {"wait": "61"},
        {"wait": "soon"},
        {"wait": "nan"},
        {"wait": "1e1"},
        {"wait": ["1", "2"]},
        {"since": "yesterday"},
        {"since": "2026-13-01T00:00:00Z"},
        {"since": "9" * 400},
        {"since": "-5"},
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "many"},
        {"contains": "\x00"},
        {"page": "2"},
    ],
    ids=repr,
)
def test_questions_that_make_no_sense(client: Client, query: dict[str, Any]) -> None:
    refused(client.call("GET", f"{PHONE}/messages", params=query), 400)


@pytest.mark.parametrize(
    "name", ["x", "+", "123456789012345678901234567890", "+0123456789", "%00", "%ff", "+1555%E2%82%AC", "ACME"]
)
def test_what_is_no_phone(client: Client, name: str) -> None:
    refused(client.call("GET", f"/simulator/phones/{name}/messages"), 400)


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"message_id": UNKNOWN},
        {"status": "delivered"},
        {"message_id": 5, "status": "delivered"},
        {"message_id": UNKNOWN, "status": "queued"},
        {"message_id": UNKNOWN, "status": "delivered", "when": 1},
        {"message_id": UNKNOWN, "status": "failed", "error_code": "x"},
    ],
    ids=repr,
)
def test_receipts_cannot_say_just_anything(client: Client, said: Any) -> None:
    refused(client.call("POST", f"{PHONE}/receipts", json=said), 400)


@pytest.mark.parametrize(
    ("call", "given"),
    [
        (("PUT", "/admin/account"), {"name": ""}),
        (("PUT", "/admin/account"), {"name": "a" * 65}),
        (("POST", "/admin/keys"), {"name": "a" * 65}),
    ],
    ids=["empty", "long", "long, of a key"],
)
def test_names_are_of_a_length_that_people_read(client: Client, call: tuple[str, str], given: dict[str, str]) -> None:
    before = client.get("/admin/account")["name"], len(client.get("/admin/keys")["keys"])
    refused(client.call(*call, json=given), 400)
    assert (client.get("/admin/account")["name"], len(client.get("/admin/keys")["keys"])) == before


@pytest.mark.parametrize("message_id", [UNKNOWN, "", "SM1", "nobody", "\x00"])
def test_receipts_for_no_message(client: Client, message_id: str) -> None:
    said = {"message_id": message_id, "status": "delivered"}
    answer = client.call("POST", f"{PHONE}/receipts", json=said)
    refused(answer, 400 if "\x00" in message_id else 404)


def test_a_delivered_message_has_no_error_code(client: Client) -> None:
    to = phone()
    said = {"message_id": client.send(to), "status": "delivered", "error_code": 30003}
    refused(client.call("POST", f"/simulator/phones/{to}/receipts", json=said), 400)


@pytest.mark.parametrize("name", ["x", UNKNOWN, f"SM{UNKNOWN.replace('-', '')}", "SM1", "%00", "%ff"])
def test_no_such_message(client: Client, name: str) -> None:
    refused(client.call("GET", f"/admin/messages/{name}"), 404)


@pytest.mark.parametrize(
    "query", [{"after": "-2"}, {"after": "x"}, {"after": "9" * 19}, {"after": "9" * 30}, {"limit": "x"}, {"since": "1"}]
)
def test_no_such_place_in_the_feed(client: Client, query: dict[str, str]) -> None:
    refused(client.call("GET", "/admin/events", params=query), 400)


@pytest.mark.parametrize(
    "path",
    [
        "/simulator/nothing",
        "/simulator/calls/1",
        f"{PHONE}/messages/x/media/0",
        f"{PHONE}/messages/{UNKNOWN}/media/0",
        "/admin",
        "/admin/nothing",
    ],
)
def test_paths_that_lead_nowhere(client: Client, path: str) -> None:
    refused(client.call("GET", path), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/simulator"), ("DELETE", "/simulator/phones"), ("PATCH", PHONE), ("POST", "/admin/events")],
)
def test_methods_that_are_not_offered(client: Client, method: str, path: str) -> None:
    answer = client.call(method, path)
    refused(answer, 405)
    assert answer.headers["Allow"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/simulator/phones"),
        ("GET", f"{PHONE}/messages"),
        ("POST", f"{PHONE}/messages"),
        ("PUT", PHONE),
        ("PUT", "/simulator/faults"),
        ("DELETE", "/simulator"),
        ("GET", f"/admin/messages/{UNKNOWN}"),
        ("GET", "/admin/events"),
        ("GET", "/admin/orphans"),
    ],
)
def test_everything_else_asks_for_credentials(client: Client, method: str, path: str) -> None:
    answer = requests.request(method, client.server.base_url + path, timeout=30)
    refused(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    wrong = requests.request(method, client.server.base_url + path, auth=(client.server.account_sid, "x"), timeout=30)
    refused(wrong, 401)
