"""Messages through the official client, each answer held against Twilio's description."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.api.admin.client import Client as Record
from tests.api.twilio.client import Raw, ask, client_of, refusal
from tests.receiver import Receiver, Reply
from tests.server import Server

US = "+15551234567"


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


@pytest.fixture(scope="module")
def raw(server: Server) -> Raw:
    return Raw(server)


@pytest.fixture
def stuck(server: Server) -> Iterator[None]:
    """Have the carrier take nothing for a while."""
    faults = "/simulator/faults"
    ask(server, "PUT", faults, json={"throttle_rate": 1.0}).raise_for_status()
    yield
    ask(server, "PUT", faults, json={"throttle_rate": 0.0}).raise_for_status()


def is_about(sid: str, status: str) -> Any:
    return lambda request: request.form["MessageSid"] == sid and request.form["MessageStatus"] == status


def deliver(client: Client, receiver: Receiver, **parameters: Any) -> Any:
    """Send a message and return it, delivered."""
    sent = client.messages.create(from_=US, status_callback=f"{receiver.url}/status", **parameters)
    receiver.wait(is_about(sent.sid, "delivered"))
    return client.messages(sent.sid).fetch()


def test_create_and_fetch(client: Client) -> None:
    sent = client.messages.create(to="+15550001001", from_=US, body="Grüße 👋")
    assert sent.sid.startswith("SM")
    assert (sent.status, sent.direction, sent.num_segments, sent.num_media) == ("queued", "outbound-api", "1", "0")
    assert (sent.to, sent.from_, sent.body, sent.price_unit) == ("+15550001001", US, "Grüße 👋", "USD")
    assert sent.date_created.tzinfo is not None
    assert sent.error_code is None
    fetched = client.messages(sent.sid).fetch()
    assert (fetched.sid, fetched.body) == (sent.sid, sent.body)


@pytest.mark.parametrize("to", ["+1 (555) 000-1002", "15550001002", "5550001002"])
def test_numbers_as_people_write_them(client: Client, to: str) -> None:
    assert client.messages.create(to=to, from_=US, body="x").to == "+15550001002"


def test_either_prefix_and_a_uuid_name_the_message(client: Client, raw: Raw) -> None:
    sent = client.messages.create(to="+15550001003", from_=US, body="x")
    digits = sent.sid[2:]
    uuid = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    for name in (f"MM{digits}", f"SM{digits.upper()}", uuid):
        assert raw("GET", f"/Messages/{name}.json").json()["sid"] == sent.sid


def test_the_same_api_is_served_where_signalwire_has_it(server: Server) -> None:
    laml = client_of(server, "/api/laml")
    for n in range(3):
        laml.messages.create(to="+15550001004", from_=US, body=str(n))
    assert [sent.body for sent in laml.messages.list(to="+15550001004", page_size=2)] == ["2", "1", "0"]
    base = f"/api/laml/2010-04-01/Accounts/{server.project_id}"
    project = (server.project_id, server.auth_token)
    asked = {"To": "+15550001004", "From": US, "Body": "as a project"}
    sent = ask(server, "POST", f"{base}/Messages.json", data=asked, auth=project)
    assert (sent.status_code, sent.json()["account_sid"]) == (201, server.project_id)
    found = ask(server, "GET", f"{base}/Messages/{sent.json()['sid']}.json", auth=project)
    assert found.json()["body"] == "as a project"
    missing = ask(server, "GET", f"{base}/Nothing.json")
    assert (missing.status_code, missing.json()["code"]) == (404, 20404)


def test_status_callbacks_are_signed_and_in_order(client: Client, receiver: Receiver, server: Server) -> None:
    sent = deliver(client, receiver, to="+15550001005", body="x")
    assert (sent.status, sent.error_code) == ("delivered", None)
    assert sent.date_sent is not None
    told = [request for request in receiver.requests if request.form["MessageSid"] == sent.sid]
    assert [request.form["MessageStatus"] for request in told] == ["sent", "delivered"]
    for request in told:
        validator = RequestValidator(server.auth_token)
        assert validator.validate(request.url, request.form, request.headers["x-twilio-signature"])
    assert "RawDlrDoneDate" in told[1].form


def test_a_failure_is_explained(client: Client, receiver: Receiver, server: Server) -> None:
    phone = "+15550001006"
    behaviour = {"outcome": "undelivered", "error_code": 30003}
    ask(server, "PUT", f"/simulator/phones/{phone}", json=behaviour).raise_for_status()
    sent = client.messages.create(to=phone, from_=US, body="x", status_callback=f"{receiver.url}/status")
    [told] = receiver.wait(is_about(sent.sid, "undelivered"))
    assert (told.form["ErrorCode"], told.form["ErrorMessage"]) == ("30003", "Unreachable destination handset")
    found = client.messages(sent.sid).fetch()
    assert (found.error_code, found.error_message) == (30003, "Unreachable destination handset")


def test_what_a_carrier_says_besides_its_code_is_the_operators(
    client: Client, receiver: Receiver, server: Server
) -> None:
    phone = "+15550001007"
    ask(server, "PUT", f"/simulator/phones/{phone}", json={"outcome": "failed"}).raise_for_status()
    sent = client.messages.create(to=phone, from_=US, body="x", status_callback=f"{receiver.url}/status")
    [told] = receiver.wait(is_about(sent.sid, "failed"))
    assert (told.form["ErrorCode"], told.form["ErrorMessage"]) == ("30008", "Unknown error")
    assert client.messages(sent.sid).fetch().error_message == "Unknown error"
    assert "told to fail" in ask(server, "GET", f"/admin/messages/{sent.sid}").text


def test_the_same_idempotency_key_gives_the_same_message(raw: Raw) -> None:
    asked = {"To": "+15550001007", "From": US, "Body": "once"}
    for header in ("Idempotency-Key", "I-Twilio-Idempotency-Token"):
        headers = {header: f"key of {header}"}
        first = raw("POST", "/Messages.json", data=asked, headers=headers)
        again = raw("POST", "/Messages.json", data=dict(reversed(asked.items())), headers=headers)
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json()["sid"] == again.json()["sid"]
        other = raw.outcome("POST", "/Messages.json", data={**asked, "Body": "twice"}, headers=headers)
        assert other == (400, 20001)
    assert raw.outcome("POST", "/Messages.json", data=asked, headers={"Idempotency-Key": "x" * 256}) == (400, 20001)


def test_redact(client: Client, receiver: Receiver) -> None:
    sent = deliver(client, receiver, to="+15550001008", body="secret")
    assert client.messages(sent.sid).update(body="").body == ""
    assert client.messages(sent.sid).fetch().body == ""


def test_cancel_what_is_queued(client: Client, receiver: Receiver, server: Server, stuck: None) -> None:
    sent = client.messages.create(to="+15550001009", from_=US, body="x", status_callback=f"{receiver.url}/status")
    Record(server).once(sent.sid, lambda record: record["waiting_for"] == "throttled")  # not in the carrier's hands
    assert refusal(client.messages(sent.sid).delete) == (409, 20009)
    assert refusal(lambda: client.messages(sent.sid).update(body="")) == (409, 20009)
    assert client.messages(sent.sid).update(status="canceled").status == "canceled"
    receiver.wait(is_about(sent.sid, "canceled"))
    assert refusal(lambda: client.messages(sent.sid).update(status="canceled")) == (409, 30409)
    assert client.messages(sent.sid).delete()


def test_cancel_or_redact_not_both(client: Client, receiver: Receiver, raw: Raw) -> None:
    sent = deliver(client, receiver, to="+15550001010", body="x")
    assert refusal(lambda: client.messages(sent.sid).update(status="canceled")) == (409, 30409)
    for parameters in ({}, {"Body": "other"}, {"Body": "", "Status": "canceled"}, {"Status": "sent"}, {"Status": ""}):
        assert raw.outcome("POST", f"/Messages/{sent.sid}.json", data=parameters) == (400, 30400)


def test_delete(client: Client, receiver: Receiver) -> None:
    sent = deliver(client, receiver, to="+15550001011", body="x")
    assert client.messages(sent.sid).delete()
    assert refusal(client.messages(sent.sid).fetch) == (404, 20404)
    assert refusal(client.messages(sent.sid).delete) == (404, 20404)
    assert client.messages.list(to="+15550001011") == []


def test_feedback(client: Client, raw: Raw, server: Server) -> None:
    sent = client.messages.create(to="+15550001012", from_=US, body="x", provide_feedback=True)

    def kept() -> Any:
        return ask(server, "GET", f"/admin/messages/{sent.sid}").json()["feedback"]

    assert kept() is None
    first = client.messages(sent.sid).feedback.create()
    assert (first.outcome, kept()) == ("confirmed", "confirmed")
    second = client.messages(sent.sid).feedback.create(outcome="unconfirmed")
    assert (second.outcome, second.date_created, kept()) == ("unconfirmed", first.date_created, "unconfirmed")
    assert raw.outcome("POST", f"/Messages/{sent.sid}/Feedback.json", data={"Outcome": "maybe"}) == (400, 20001)
    unasked = client.messages.create(to="+15550001012", from_=US, body="x")
    assert refusal(client.messages(unasked.sid).feedback.create) == (400, 20001)


def test_send_as_mms_and_tags(client: Client, raw: Raw, server: Server) -> None:
    sent = client.messages.create(to="+15550001013", from_=US, body="x" * 400, send_as_mms=True)
    assert (sent.sid[:2], sent.num_segments, sent.num_media) == ("MM", "1", "0")
    parameters = {"To": "+15550001013", "From": US, "Body": "x", "Tags": '{"campaign":"spring"}'}
    made = raw.message(**parameters, PersistentAction=["geo:1,2", "geo:3,4"])
    assert made.status_code == 201
    told = ask(server, "GET", f"/admin/messages/{made.json()['sid']}").json()
    assert (told["tags"], told["persistent_actions"]) == ({"campaign": "spring"}, ["geo:1,2", "geo:3,4"])
    assert raw.outcome("POST", "/Messages.json", data={**parameters, "Tags": "[1]"}) == (400, 20001)


def test_a_reply_by_twiml(client: Client, receiver: Receiver, server: Server) -> None:
    ours, phone = "+15557654321", "+12125550199"
    [number] = client.incoming_phone_numbers.list(phone_number=ours)
    number.update(sms_url=f"{receiver.url}/sms")
    twiml = b"<Response><Message>Thanks</Message></Response>"
    receiver.answer = lambda _: Reply(200, twiml, (("Content-Type", "text/xml"),))
    inbound = f"/simulator/phones/{phone}/messages"
    ask(server, "POST", inbound, json={"to": ours, "body": "Hello"}).raise_for_status()
    [told] = receiver.wait(lambda request: request.path == "/sms")
    assert RequestValidator(server.auth_token).validate(told.url, told.form, told.headers["x-twilio-signature"])
    assert (told.form["Body"], told.form["From"], told.form["FromCity"]) == ("Hello", phone, "NEW YORK")
    seen = ask(server, "GET", inbound, params={"wait": "20", "contains": "Thanks"}).json()["messages"]
    reply = client.messages("SM" + seen[0]["message_id"].replace("-", "")).fetch()
    assert (reply.direction, reply.body, reply.to) == ("outbound-reply", "Thanks", phone)
    found = client.messages(told.form["MessageSid"]).fetch()
    assert (found.direction, found.status, found.from_) == ("inbound", "received", phone)


def test_an_answer_that_is_no_twiml_goes_to_the_fallback_and_shows(
    client: Client, receiver: Receiver, server: Server
) -> None:
    ours = client.incoming_phone_numbers.create(
        phone_number="+14155550177",
        sms_url=f"{receiver.url}/broken?a=b",
        sms_method="GET",
        sms_fallback_url=f"{receiver.url}/fallback",
    )
    receiver.answer = lambda _: Reply(200, b"<Response>", (("Content-Type", "text/xml"),))
    sent = {"to": ours.phone_number, "body": "Hello"}
    phone = ask(server, "POST", "/simulator/phones/+12125550188/messages", json=sent)
    [first] = receiver.wait(lambda request: request.path == "/broken")
    assert (first.method, first.form["a"], first.form["Body"]) == ("GET", "b", "Hello")
    validator = RequestValidator(server.auth_token)
    assert validator.validate(first.url, {}, first.headers["x-twilio-signature"])
    [fallback] = receiver.wait(lambda request: request.path == "/fallback")
    assert (fallback.method, fallback.form["ErrorCode"]) == ("POST", "12100")
    assert fallback.form["ErrorUrl"] == f"{receiver.url}/broken?a=b"
    assert fallback.headers["i-twilio-idempotency-token"] == first.headers["i-twilio-idempotency-token"]
    message = f"/admin/messages/{phone.json()['message_id']}"
    assert ask(server, "GET", message).ok
    assert client.messages(first.form["MessageSid"]).fetch().error_code == 12100


def test_dates_are_in_utc_to_the_second(client: Client) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    sent = client.messages.create(to="+15550001014", from_=US, body="x")
    assert before <= sent.date_created <= datetime.now(UTC)
