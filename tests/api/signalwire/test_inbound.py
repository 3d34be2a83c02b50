"""Inbound messages as an app meets them: the webhook, its signature, its media, and what the app may answer."""

import hashlib
import hmac
import json
from base64 import b64encode
from typing import Any

import pytest
import requests

from tests.api.admin.client import Client as Record
from tests.api.signalwire.client import Client
from tests.receiver import Received, Receiver, Reply
from tests.server import Server

NUMBERS = "/api/relay/rest/phone_numbers"
PNG = bytes.fromhex("89504e470d0a1a0a") + b"not really a picture"


def hook(client: Client, number: str, **given: Any) -> None:
    """Own a number by using it, and set its handler."""
    client.send(**{"from": number, "to": "+15559300000"})
    (found,) = client.ask("GET", NUMBERS, 200, params={"filter_number": number})["data"]
    client.ask("PUT", f"{NUMBERS}/{found['id']}", 200, json=given)


def answers(document: Any) -> Any:
    return lambda request: Reply(body=json.dumps(document).encode(), headers=(("Content-Type", "application/json"),))


def signing_key(client: Client) -> str:
    key: str = client.raw("GET", "/admin/account").json()["signing_key"]
    return key


def check_signature(client: Client, request: Received) -> None:
    key, signed = signing_key(client).encode(), request.url.encode() + request.body
    assert request.headers["x-signalwire-signature"] == hmac.new(key, signed, hashlib.sha1).hexdigest()
    assert request.headers["x-signalwire-sha256-signature"] == hmac.new(key, signed, hashlib.sha256).hexdigest()


def test_the_guides_handler(client: Client, receiver: Receiver) -> None:
    """The handler reads flat keys, calls .strip() on the body, sends by REST, and answers `{"status":"received"}`."""
    number, phone = "+15559300001", "+15559390001"
    receiver.answer = answers({"status": "received"})
    hook(client, number, message_request_url=f"{receiver.url}/incoming-sms?app=1")
    id = client.phone_sends(phone, number, "Hello!")
    (request,) = receiver.wait()
    check_signature(client, request)
    data = request.json
    assert (data["from"], data["to"], data["body"].strip().upper()) == (phone, number, "HELLO!")
    assert (data["message_id"], data["message"]["message_id"], data["media"]) == (id, id, [])
    assert data["timestamp"].endswith("Z")
    client.send(**{"from": data["to"], "to": data["from"], "body": "by REST"})
    assert [arrived["body"] for arrived in client.inbox(phone)] == ["by REST"]
    log = client.ask("GET", f"/api/messaging/logs/{id}", 200)
    assert (log["status"], log["direction"], log["error_code"]) == ("received", "inbound", None)


def test_media_are_fetched_bare(client: Client, receiver: Receiver) -> None:
    number = "+15559300002"
    hook(client, number, message_request_url=receiver.url, message_handler="json_webhook")
    data = {"content_type": "image/png", "data": b64encode(PNG).decode()}
    client.phone_sends("+15559390002", number, media=[data])
    told = receiver.wait()[0].json
    assert told["body"] == ""
    assert told["message"]["body"] is None
    assert told["message"]["type"] == "mms"
    (item,) = told["message"]["media"]
    assert (item["content_type"], item["size"], [item["url"]]) == ("image/png", len(PNG), told["media"])
    assert requests.get(item["url"], timeout=10).content == PNG


def test_a_swml_document_replies(client: Client, receiver: Receiver) -> None:
    number, phone = "+15559300003", "+15559390003"
    reply = {"body": "Thanks", "status_url": "/status"}
    receiver.answer = answers({"version": "1.0.0", "sections": {"main": [{"reply": reply}]}})
    hook(client, number, message_request_url=f"{receiver.url}/in")
    client.phone_sends(phone, number, "hi")
    (arrived,) = client.inbox(phone)
    assert (arrived["body"], arrived["from"]) == ("Thanks", number)
    told = receiver.wait(lambda request: request.path == "/status", 4)
    assert [request.json["status"] for request in told] == ["queued", "initiated", "sent", "delivered"]


@pytest.mark.parametrize("sender", ["nope", "ACME", "123", "whatsapp:+15559300013"])
def test_a_reply_comes_from_what_the_messaging_api_sends_from(client: Client, receiver: Receiver, sender: str) -> None:
    number, phone = "+15559300013", "+15559390013"
    steps = [{"reply": {"body": "no", "from": sender}}, {"reply": f"%{{reply_result}} [{sender}]"}]
    receiver.answer = answers({"sections": {"main": steps}})
    hook(client, number, message_request_url=f"{receiver.url}/in")
    asked = client.phone_sends(phone, number, "hi")
    (arrived,) = client.inbox(phone, contains=f"[{sender}]")
    assert (arrived["body"], arrived["from"]) == (f"failed [{sender}]", number)
    assert client.ask("GET", f"/api/messaging/logs/{asked}", 200)["error_code"] == "swml_reply_invalid_from_number"


def test_stop_is_the_apps_business(client: Client, receiver: Receiver) -> None:
    number, phone = "+15559300004", "+15559390004"
    hook(client, number, message_request_url=receiver.url)
    client.phone_sends(phone, number, "STOP")
    assert receiver.wait()[0].json["body"] == "STOP"
    client.send(**{"from": number, "to": phone, "body": "You have been unsubscribed."})
    assert [arrived["body"] for arrived in client.inbox(phone)] == ["You have been unsubscribed."]


def test_laml_numbers_hear_twilios_form(client: Client, receiver: Receiver) -> None:
    number, phone = "+15559300005", "+15559390005"
    xml = b"<Response><Message>From TwiML</Message></Response>"
    receiver.answer = lambda request: Reply(body=xml, headers=(("Content-Type", "text/xml"),))
    hook(client, number, message_handler="laml_webhooks", message_request_url=receiver.url)
    client.phone_sends(phone, number, "hi")
    assert receiver.wait()[0].form["Body"] == "hi"
    assert client.inbox(phone)[0]["body"] == "From TwiML"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Reply(500), "http_retrieval_error"),
        (Reply(200, b"{", (("Content-Type", "application/json"),)), "swml_invalid_document"),
        (Reply(200, b'{"sections":{"main":[{"send_sms":{}}]}}'), "swml_unsupported_method"),
    ],
)
def test_the_fallback_is_told_why(client: Client, receiver: Receiver, answer: Reply, code: str) -> None:
    number, phone = f"+155593000{len(code)}", f"+155593900{len(code)}"
    receiver.answer = lambda request: (
        answer if request.path == "/in" else answers({"reply": "from the fallback"})(request)
    )
    given = {"message_request_url": f"{receiver.url}/in", "message_fallback_url": f"{receiver.url}/fallback"}
    hook(client, number, **given)
    id = client.phone_sends(phone, number, "hi")
    (request,) = receiver.wait(lambda request: request.path == "/fallback")
    check_signature(client, request)
    assert (request.json["error_code"], request.json["error_url"]) == (code, f"{receiver.url}/in")
    assert client.inbox(phone)[0]["body"] == "from the fallback"
    log = client.ask("GET", f"/api/messaging/logs/{id}", 200)
    assert (log["status"], log["error_code"], log["error_message"]) == ("received", None, None)


def test_a_handler_that_answers_in_the_end_has_not_failed(client: Client, server: Server, receiver: Receiver) -> None:
    number, phone = "+15559300016", "+15559390016"
    receiver.answer = lambda _: Reply(404)
    hook(client, number, message_request_url=f"{receiver.url}/in")
    id = client.phone_sends(phone, number, "hi")
    Record(server).once(id, lambda record: record["error_code"] is not None)
    assert client.ask("GET", f"/api/messaging/logs/{id}", 200)["status"] == "failed"
    receiver.answer = answers({"reply": "at last"})
    client.ask("POST", f"/admin/messages/{id}/callbacks/replay", 200)
    assert client.inbox(phone)[0]["body"] == "at last"
    log = client.ask("GET", f"/api/messaging/logs/{id}", 200)
    assert (log["status"], log["error_code"]) == ("received", None)


@pytest.mark.parametrize("extra", [" " * 65_536, "x" * 65_536])
def test_an_answer_that_is_too_long_is_said_to_be(
    client: Client, server: Server, receiver: Receiver, extra: str
) -> None:
    number, body = "+15559300015", '{"reply": "Hi"}'
    long = f"{body}{extra}" if extra.isspace() else body.replace("Hi", extra)
    receiver.answer = lambda _: Reply(200, long.encode(), (("Content-Type", "application/json"),))
    hook(client, number, message_request_url=f"{receiver.url}/in")
    asked = client.phone_sends("+15559390015", number, "hi")
    Record(server).once(asked, lambda record: record["error_code"] is not None)
    log = client.ask("GET", f"/api/messaging/logs/{asked}", 200)
    assert (log["error_code"], "longer than 64 kB" in log["error_message"]) == ("swml_invalid_document", True)


def test_without_a_handler_it_has_failed(client: Client) -> None:
    number = "+15559300014"
    client.ask("POST", "/api/relay/rest/phone_numbers", 200, json={"number": number})
    asked = client.phone_sends("+15559390014", number, "hi")
    told = client.ask("GET", f"/api/messaging/logs/{asked}", 200)
    assert (told["status"], told["error_code"]) == ("failed", "unrouteable_message")
    assert client.ask("GET", f"/api/messaging/messages/{asked}", 200)["body"] == "hi"


def test_by_get(client: Client, receiver: Receiver) -> None:
    number = "+15559300006"
    hook(client, number, sms_url=f"{receiver.url}/in?app=1", sms_method="GET")
    client.phone_sends("+15559390006", number, "a&b=c d")
    (request,) = receiver.wait()
    check_signature(client, request)
    assert request.method == "GET"
    assert (request.form["body"], request.form["app"]) == ("a&b=c d", "1")
