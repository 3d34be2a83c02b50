"""Sending, redacting and reading messages, as a user of SignalWire's REST API does."""

import json
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.api.signalwire.draft import PARAMETERS
from parley.store import StoreUnavailable
from tests.api.admin.client import Client as Record
from tests.api.signalwire.client import Client
from tests.openapi import validate_signalwire_answer
from tests.receiver import Receiver, Reply
from tests.server import Server

MESSAGES = "/api/messaging/messages"
LOGS = "/api/messaging/logs"
PNG = bytes.fromhex("89504e470d0a1a0a") + b"not really a picture"


def delivered(client: Client, receiver: Receiver, **given: Any) -> Any:
    """Send a message, and return it once it is delivered."""
    message = client.send(status_callback=f"{receiver.url}/status", **given)
    receiver.wait(lambda request: request.json["status"] == "delivered" and request.json["id"] == message["id"])
    return message


def test_the_guides_first_message(server: Server) -> None:
    """`seeds` verbatim, but for the address: requests, HTTPBasicAuth, JSON."""
    response = requests.post(
        f"{server.base_url}/api/messaging/messages",
        auth=requests.auth.HTTPBasicAuth(server.project_id, server.auth_token),
        headers={"Content-Type": "application/json"},
        json={"from": "+15551234567", "to": "+15559000001", "body": "Hello from Python!"},
        timeout=10,
    )
    assert response.status_code == 201
    message = response.json()
    validate_signalwire_answer("POST", MESSAGES, 201, message)
    assert message["project_id"] == server.project_id
    (arrived,) = Client(server).inbox("+15559000001")
    assert (arrived["message_id"], arrived["body"]) == (message["id"], "Hello from Python!")


def test_everything_in_the_answer(client: Client) -> None:
    message = client.send(to="+15559000002", body="Grüße 👋 " * 20)
    assert message == {
        "id": message["id"],
        "from": "+15551234567",
        "to": "+15559000002",
        "body": "Grüße 👋 " * 20,
        "status": "queued",
        "direction": "outbound",
        "kind": "sms",
        "media": [],
        "number_of_segments": 3,
        "error_code": None,
        "error_message": None,
        "created_at": message["created_at"],
        "project_id": message["project_id"],
        "status_callback_url": None,
        "message_uri": f"{LOGS}/{message['id']}",
    }


@pytest.mark.parametrize("name", ["media", "media_urls"])
def test_media_travel_by_either_name(client: Client, receiver: Receiver, name: str) -> None:
    receiver.answer = lambda request: Reply(body=PNG, headers=(("Content-Type", "image/png"),))
    url = f"{receiver.url}/logo.png"
    phone = "+15559000003" if name == "media" else "+15559000004"
    message = client.send(to=phone, body="", **{name: [url]})
    assert (message["kind"], message["media"]) == ("mms", [url])
    (arrived,) = client.inbox(phone)
    assert arrived["media"][0]["content_type"] == "image/png"

    (link,) = client.ask("GET", f"{MESSAGES}/{message['id']}", 200)["media"]
    assert link.startswith(f"{client.space_url}/api/messaging/media/")
    bare = requests.get(link, timeout=10)
    assert (bare.status_code, bare.content, bare.headers["content-type"]) == (200, PNG, "image/png")
    assert bare.headers["x-content-type-options"] == "nosniff"
    for bad in (
        link[:-1],
        f"{link}x",
        link.replace("/media/", "/media/A"),
        f"{client.space_url}/api/messaging/media/x",
    ):
        answer = requests.get(bad, timeout=10)
        assert (answer.status_code, answer.json()) == (404, {"error": "Not Found"})


def test_who_is_told_of_a_message_is_told_once_it_is_durable(
    client: Client, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever cannot be read afterwards: a message on its way that was answered 503 would be sent again."""

    def away(*_: Any) -> Any:
        raise StoreUnavailable("gone")

    monkeypatch.setattr("parley.store.media.of_messages", away)
    url = f"{receiver.url}/logo.png"
    message = client.send(to="+15559000018", media=[url])
    assert message["media"] == [url]
    shown = requests.get(f"{client.space_url}{MESSAGES}/{message['id']}", auth=client.auth, timeout=10)
    assert shown.status_code == 503


def test_send_as_mms_makes_it_mms(client: Client) -> None:
    assert client.send(to="+15559000005", send_as_mms=True)["kind"] == "mms"


def test_each_change_of_state_is_told(client: Client, receiver: Receiver) -> None:
    hook = f"{receiver.url}/status?tenant=7"
    message = client.send(to="+15559000006", status_callback=hook, custom_variables={"order": "42"})
    assert message["status_callback_url"] == hook
    told = [request.json for request in receiver.wait(count=4)]
    assert [each["status"] for each in told] == ["queued", "initiated", "sent", "delivered"]
    assert {each["id"] for each in told} == {each["message_id"] for each in told} == {message["id"]}
    assert all(each["custom_variables"] == {"order": "42"} for each in told)
    log = client.ask("GET", f"{LOGS}/{message['id']}", 200)
    assert (log["status"], log["direction"], log["source"], log["type"]) == (
        "delivered",
        "outbound",
        "realtime_api",
        "relay_message",
    )


def test_a_failure_is_told_in_signalwires_words(client: Client, receiver: Receiver) -> None:
    client.raw("PUT", "/simulator/phones/+15559000007", json={"reachable": False})
    client.send(to="+15559000007", status_callback=receiver.url)
    last = receiver.wait(lambda request: request.json["status"] == "undelivered")[-1].json
    assert last["error_code"] == "unreachable_destination_handset"
    assert last["error_message"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(404), "media_download_failed"),
        (Reply(200, b"x", (("Content-Type", "application/x-msdownload"),)), "unsupported_media_type"),
        (Reply(200, b"x" * (5 * 1024 * 1024 + 1), (("Content-Type", "image/png"),)), "media_exceeds_size_limit"),
    ],
)
def test_media_that_cannot_be_had_fail_the_message(client: Client, receiver: Receiver, reply: Reply, code: str) -> None:
    receiver.answer = lambda request: reply if request.path == "/media" else Reply()
    client.send(to="+15559000017", media=[f"{receiver.url}/media"], status_callback=f"{receiver.url}/status")
    (failed,) = receiver.wait(lambda request: request.path == "/status" and request.json["status"] == "failed")
    assert failed.json["error_code"] == code
    assert failed.json["error_message"] == code.replace("_", " ").capitalize()


def test_a_key_sends_once(client: Client) -> None:
    given = {"from": "+15551234567", "to": "+15559000008", "body": "once"}
    first, again = (client.ask("POST", MESSAGES, 201, json=given, headers={"Idempotency-Key": "k-1"}) for _ in range(2))
    assert first["id"] == again["id"]
    token = client.ask("POST", MESSAGES, 201, json=given, headers={"I-Twilio-Idempotency-Token": "k-1"})
    assert token["id"] == first["id"]
    reused = client.codes("POST", MESSAGES, json=given | {"body": "x"}, headers={"Idempotency-Key": "k-1"})
    assert reused == [("invalid_parameter", "Idempotency-Key")]
    assert len(client.inbox("+15559000008")) == 1


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        (
            {},
            [
                ("missing_required_parameter", "to"),
                ("missing_required_parameter", "from"),
                ("body_or_media_required", "body"),
            ],
        ),
        (
            {"to": "banana", "from": "+15551234567", "body": "x" * 1601},
            [("invalid_to_number", "to"), ("character_limit_exceeded", "body")],
        ),
        ({"to": "+15551234567", "from": "+15551234567", "body": "x"}, [("invalid_to_number", "to")]),
        ({"to": "+15005550001", "from": "+15551234567", "body": "x"}, [("invalid_to_number", "to")]),
        ({"to": "+15005550002", "from": "+15551234567", "body": "x"}, [("not_routeable", "to")]),
        ({"to": "+15005550003", "from": "+15551234567", "body": "x"}, [("destination_number_not_supported", "to")]),
        ({"to": "+15005550004", "from": "+15551234567", "body": "x"}, [("number_blacklisted", "to")]),
        ({"to": "+15559000009", "from": "+15005550007", "body": "x"}, [("invalid_from_number", "from")]),
        ({"to": "+15559000009", "from": "+15005550008", "body": "x"}, [("message_backlog_limit_exceeded", "from")]),
        ({"to": "+15559000009", "from": "+15005550009", "body": "x"}, [("missing_messaging_capability", "from")]),
        (
            {"to": "+15559000009", "from": "+15551234567", "body": "x", "region": "us"},
            [("invalid_parameter", "region")],
        ),
    ],
)
def test_refusals(client: Client, given: dict[str, Any], problems: list[tuple[str, str]]) -> None:
    assert client.codes("POST", MESSAGES, json=given) == problems


def test_the_platform_honours_stop_where_it_is_asked_to(client: Client) -> None:
    """A number of Twilio's ways: the opt-out stops messages of either API."""
    client.phone_sends("+15559000010", "+15557654321", "STOP")
    given = {"to": "+15559000010", "from": "+15557654321", "body": "x"}
    assert client.codes("POST", MESSAGES, json=given) == [("number_blacklisted", "to")]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"null", "application/json", 400),
        (b'"x"', "application/json", 400),
        (b'{"to":"+15559000011","to":"+15559000012"}', "application/json", 400),
        (b'{"custom_variables":{"a":"1","\\u0061":"2"}}', "application/json", 400),
        (b'{"body":"nul \\u0000"}', "application/json", 400),
        (b'{"body":"\\ud800"}', "application/json", 400),
        (b'{"body":"\xff"}', "application/json", 400),
        (b'{"body":"nul \x00"}', "application/json", 400),
        (b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "application/json", 400),
        (b'{"a":' + b'{"\\u0061":' * 900 + b"1" + b"}" * 900 + b"}", "application/json", 422),
        (b"x" * (1024 * 1024 + 1), "application/json", 413),
        (b"to=%2B15559000011&from=%2B15551234567&body=x", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
        (b"{}", "application/json; charset=utf-8", 422),
    ],
)
def test_bad_bodies(client: Client, body: bytes, kind: str, status: int) -> None:
    client.ask("POST", MESSAGES, status, data=body, headers={"Content-Type": kind})


def test_who_is_asking(client: Client, server: Server) -> None:
    for auth in (None, ("x", "y"), (server.project_id, "wrong"), (server.project_id, ""), ("", server.auth_token)):
        for method, path in (("POST", MESSAGES), ("GET", LOGS), ("GET", "/api/relay/rest/phone_numbers")):
            response = requests.request(method, server.base_url + path, auth=auth, json={}, timeout=10)
            assert (response.status_code, response.json()) == (401, {"error": "Unauthorized"})
            assert response.headers["www-authenticate"].startswith("Basic ")
    assert client.ask("GET", LOGS, 200, auth=(server.account_sid, server.auth_token))


def test_what_is_not_there(client: Client) -> None:
    unknown = "00000000-0000-7000-8000-000000000000"
    for path in (f"{MESSAGES}/{unknown}", f"{MESSAGES}/x", f"{LOGS}/{unknown}", f"{LOGS}/%00", "/api/messaging/x"):
        response = client.raw("GET", path)
        assert (response.status_code, response.json()) == (404, {"error": "Not Found"})
    assert client.ask("PATCH", f"{MESSAGES}/{unknown}", 404, json={"body": ""}) == {"error": "Not Found"}
    for method, path in (("DELETE", LOGS), ("PUT", MESSAGES), ("POST", f"{LOGS}/{unknown}")):
        response = client.raw(method, path)
        assert (response.status_code, response.json()) == (405, {"error": "Method Not Allowed"})
        assert "GET" in response.headers["allow"]


def test_redaction(client: Client, receiver: Receiver) -> None:
    message = delivered(client, receiver, to="+15559000013", body="secret")
    path = f"{MESSAGES}/{message['id']}"
    for change, problem in (
        ({"body": "other"}, ("body_must_be_empty", "body")),
        ({"body": 5}, ("body_must_be_empty", "body")),
        ({}, ("missing_required_parameter", "body")),
        ({"body": None}, ("missing_required_parameter", "body")),
    ):
        assert client.codes("PATCH", path, json=change) == [problem]
    assert client.codes("PATCH", path, json={"body": "", "status": "x"}) == [("invalid_parameter", "status")]
    assert client.ask("GET", path, 200)["body"] == "secret"
    redacted = client.ask("PATCH", path, 200, json={"body": ""})
    assert redacted["body"] == ""
    assert client.ask("GET", path, 200) == redacted
    assert client.inbox("+15559000013")[0]["body"] == ""


def test_what_is_under_way_is_not_redacted(client: Client, receiver: Receiver) -> None:
    client.raw("PUT", "/simulator/faults", json={"throttle_rate": 1})
    try:
        message = client.send(to="+15559000014")
        path = f"{MESSAGES}/{message['id']}"
        assert client.codes("PATCH", path, json={"body": ""}) == [("cannot_redact_in_progress_message", "base")]
    finally:
        client.raw("PUT", "/simulator/faults", json={"throttle_rate": 0})


def test_both_apis_have_the_same_message(client: Client, server: Server) -> None:
    message = client.send(to="+15559000015", body="two spellings")
    sid = "SM" + message["id"].replace("-", "")
    twilio = client.raw("GET", f"/2010-04-01/Accounts/{server.account_sid}/Messages/{sid}.json").json()
    assert (twilio["sid"], twilio["body"], twilio["to"]) == (sid, message["body"], message["to"])

    form = {"To": "+15559000016", "From": "+15551234567", "Body": "the other way"}
    made = client.raw("POST", f"/2010-04-01/Accounts/{server.account_sid}/Messages.json", data=form).json()
    id = made["sid"][2:]
    log = client.ask("GET", f"{LOGS}/{id[:8]}-{id[8:12]}-{id[12:16]}-{id[16:20]}-{id[20:]}", 200)
    assert (log["source"], log["type"], log["direction"]) == ("laml", "laml_message", "outbound-api")


_TEXT = st.text(max_size=30)
_VALUE = st.none() | st.booleans() | st.integers() | _TEXT | st.lists(_TEXT, max_size=3)


@settings(max_examples=60)
@given(given=st.dictionaries(st.sampled_from(sorted(PARAMETERS)) | _TEXT, _VALUE, max_size=6))
def test_no_object_breaks_it(server: Server, given: dict[str, Any]) -> None:
    response = Client(server).raw("POST", MESSAGES, json=given)
    assert response.status_code in (201, 400, 422), response.text


@settings(max_examples=60)
@given(body=st.binary(max_size=300))
def test_no_octets_break_it(server: Server, body: bytes) -> None:
    response = Client(server).raw("POST", MESSAGES, data=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (400, 422), response.text
    json.loads(response.content)


def test_a_verified_caller_id_does_not_send_unless_it_is_bought(client: Client) -> None:
    ours = "+15559310001"
    client.ask("POST", "/api/relay/rest/verified_caller_ids", 201, json={"number": ours})
    given = {"from": ours, "to": "+15559310002", "body": "x"}
    refused = client.codes("POST", "/api/messaging/messages", json=given)
    assert refused == [("verified_caller_id_not_permitted", "from")]
    client.ask("POST", "/api/relay/rest/phone_numbers", 200, json={"number": ours})
    client.send(**given)


def test_a_log_tells_what_was_charged_once_it_was_sent(client: Client, server: Server) -> None:
    phone = "+15559310003"
    sent = client.send(to=phone, body="x" * 200)
    Record(server).in_state(sent["id"], "delivered")
    log = client.ask("GET", f"/api/messaging/logs/{sent['id']}", 200)
    assert log["charge"] == 0.0158
    assert log["charge_details"] == [{"description": "SMS sent", "charge": 0.0158}]


def test_a_time_that_was_shown_excludes_what_it_was_shown_of(client: Client) -> None:
    shown = client.send(to="+15559320001")["created_at"]
    for name in ("created_after", "created_before"):
        listed = client.ask("GET", f"/api/messaging/logs?{name}={shown}", 200)["data"]
        assert shown not in {each["created_at"] for each in listed}


def test_a_page_token_is_good_for_its_list_and_filters(client: Client) -> None:
    for _ in range(2):
        client.send(to="+15559340001")
    following = client.ask("GET", "/api/messaging/logs?page_size=1", 200)["links"]["next"]
    client.ask("GET", following, 200)
    wrong = [("page_token_is_invalid", "page_token")]
    assert client.codes("GET", f"{following}&include_deleted=true") == wrong
    assert client.codes("GET", following.replace("/logs", "/messages")) == wrong
