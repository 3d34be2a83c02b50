"""Scheduling and quiet hours by the official client, over restarts, on both stores, at times that the test makes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from twilio.rest import Client

from tests.api.twilio.client import Raw, ask, client_of, refusal
from tests.clock import ManualClock
from tests.receiver import Receiver
from tests.server import Server, serve

HOUR = 3600
PHONE = "+13125557001"
NIGHT = {"start": "21:00", "end": "08:00"}


def at(clock: ManualClock, seconds: float) -> datetime:
    return datetime.fromtimestamp(clock.now() // 1_000_000, UTC) + timedelta(seconds=seconds)


def pass_by(server: Server, clock: ManualClock, seconds: float) -> None:
    clock.advance(seconds)
    server.look()


def service_of(client: Client, sender: str = "+15551234567", **settings: Any) -> str:
    """A service with one of the dev profile's numbers."""
    service = client.messaging.v1.services.create(friendly_name="Later", **settings)
    [number] = client.incoming_phone_numbers.list(phone_number=sender)
    service.phone_numbers.create(phone_number_sid=number.sid)
    return str(service.sid)


def record(server: Server, sid: str) -> dict[str, Any]:
    found: dict[str, Any] = ask(server, "GET", f"/admin/messages/{sid}").json()
    return found


def told(receiver: Receiver, sid: str, last: str) -> list[str]:
    """The states that callbacks told of a message, once one was the `last`."""
    receiver.wait(lambda r: r.form.get("MessageSid") == sid and r.form["MessageStatus"] == last)
    return [r.form["MessageStatus"] for r in receiver.requests if r.form["MessageSid"] == sid]


def test_scheduled_messages_go_at_their_time_over_a_restart(store_url: str, receiver: Receiver) -> None:
    clock = ManualClock()
    callback = f"{receiver.url}/status"
    with serve(store_url, clock) as server:
        client = client_of(server)
        service = service_of(client, status_callback=callback)

        def schedule(to: str, seconds: float) -> str:
            made = client.messages.create(
                to=to,
                messaging_service_sid=service,
                body="Later",
                schedule_type="fixed",
                send_at=at(clock, seconds),
            )
            assert (made.status, made.from_, made.date_sent, made.num_segments) == ("scheduled", None, None, "0")
            return str(made.sid)

        goes, canceled, stopped = schedule(PHONE, HOUR), schedule("+13125557002", HOUR), schedule("+13125557003", HOUR)
        assert client.messages(canceled).update(status="canceled").status == "canceled"
        assert told(receiver, canceled, "canceled") == ["canceled"]
        asked = ask(
            server,
            "POST",
            "/simulator/phones/+13125557003/messages",
            json={"to": "+15551234567", "body": "STOP"},
        )
        assert asked.status_code == 201
    with serve(store_url, clock) as server:
        client = client_of(server)
        found = record(server, goes)
        assert (found["status"], found["waiting_for"], found["until"]) == (
            "scheduled",
            "schedule",
            at(clock, HOUR).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        )
        assert refusal(client.messages(goes).delete) == (409, 20009)
        pass_by(server, clock, HOUR)
        assert told(receiver, stopped, "failed") == ["queued", "failed"]
        assert client.messages(stopped).fetch().error_code == 21610
        receiver.wait(lambda r: r.form.get("MessageSid") == goes and r.form["MessageStatus"] == "sent")
        sent = client.messages(goes).fetch()
        assert (sent.from_, sent.messaging_service_sid) == ("+15551234567", service)
        assert refusal(lambda: client.messages(goes).update(status="canceled")) == (409, 30409)
        assert [event["kind"] for event in record(server, goes)["events"]][:2] == ["scheduled", "queued"]
        assert refusal(lambda: client.messages(canceled).update(status="canceled")) == (409, 30409)


def test_quiet_hours_hold_what_a_service_sends_over_a_restart(store_url: str, receiver: Receiver) -> None:
    clock = ManualClock()  # 05:06:40 in Honolulu
    with serve(store_url, clock) as server:
        service = service_of(client_of(server))
        assert ask(server, "PUT", f"/admin/services/{service}/quiet_hours", json=NIGHT).status_code == 200
        message = client_of(server).messages.create(
            to="+18085557001", messaging_service_sid=service, body="Aloha", status_callback=f"{receiver.url}/status"
        )
        assert (message.status, message.from_) == ("accepted", None)
    with serve(store_url, clock) as server:
        found = record(server, str(message.sid))
        assert (found["waiting_for"], found["until"][:19]) == ("quiet_hours", "2025-06-15T18:00:00")
        pass_by(server, clock, 3 * HOUR)
        receiver.wait(lambda r: r.form.get("MessageSid") == message.sid and r.form["MessageStatus"] == "sent")
        assert client_of(server).messages(message.sid).fetch().from_ == "+15551234567"


@pytest.fixture(scope="module")
def service(server: Server) -> str:
    return service_of(client_of(server))


@pytest.mark.parametrize(
    ("kind", "when", "code"),
    [
        ("fixed", 299, 35114),
        ("fixed", 35 * 24 * HOUR + 60, 35114),
        ("fixed", -HOUR, 35114),
        ("fixed", "tomorrow", 35114),
        ("fixed", "2030-02-30T10:00:00Z", 35114),
        ("fixed", "2030-02-01", 35114),
        ("weekly", HOUR, 35126),
        (None, HOUR, 35126),
        ("fixed", None, 35111),
    ],
)
def test_what_is_wrong_with_a_schedule(
    server: Server, service: str, kind: str | None, when: float | str | None, code: int
) -> None:
    given = {"To": PHONE, "MessagingServiceSid": service, "Body": "x", "ScheduleType": kind}
    if when is not None:
        given["SendAt"] = when if isinstance(when, str) else f"{datetime.now(UTC) + timedelta(seconds=when):%FT%TZ}"
    answer = Raw(server).message(**given)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize("spelling", ["%FT%TZ", "%FT%T.%fZ", "%FT%T+00:00", "%FT%T"])
def test_times_are_read_as_the_clients_of_all_languages_write_them(server: Server, service: str, spelling: str) -> None:
    when = datetime.now(UTC) + timedelta(hours=1)
    answer = Raw(server).message(To=PHONE, From=service, Body="x", ScheduleType="fixed", SendAt=when.strftime(spelling))
    assert (answer.status_code, answer.json()["status"]) == (201, "scheduled")
    until = datetime.fromisoformat(record(server, answer.json()["sid"])["until"])
    assert abs(until - when) < timedelta(seconds=1)


def test_quiet_hours_that_refuse_say_so(server: Server) -> None:
    client = client_of(server)
    service = service_of(client, "+15557654321")
    now = datetime.now(UTC)
    quiet = {"start": f"{now - timedelta(hours=1):%H:%M}", "end": f"{now + timedelta(hours=1):%H:%M}"}
    path = f"/admin/services/{service}/quiet_hours"
    assert ask(server, "PUT", path, json={**quiet, "action": "refuse"}).status_code == 200
    iceland = "+3546112345"  # whose clocks are UTC's
    send = client.messages.create
    assert refusal(lambda: send(to=iceland, messaging_service_sid=service, body="x")) == (400, 30047)
    assert send(to=iceland, from_="+15551234567", body="x").status == "queued"


def test_no_more_are_scheduled_than_the_account_may_have(tmp_path: Any) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db", schedule_limit=1) as server:
        client = client_of(server)
        given = {
            "to": PHONE,
            "messaging_service_sid": service_of(client),
            "body": "x",
            "schedule_type": "fixed",
            "send_at": datetime.now(UTC) + timedelta(hours=1),
        }
        assert client.messages.create(**given).status == "scheduled"
        assert refusal(lambda: client.messages.create(**given)) == (400, 35125)
