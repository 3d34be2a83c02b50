"""Senders on WhatsApp through the official client: registered, looked at, put into a service, dropped."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twilio.rest import Client

from tests.api.twilio.client import ask, client_of, refusal
from tests.clock import ManualClock
from tests.receiver import Receiver
from tests.server import Server, serve

ADDRESS = "whatsapp:+15551234567"
PROFILE = {
    "name": "Acme",
    "about": "All sorts",
    "logo_url": "https://example.com/logo.png",
    "websites": [{"website": "https://example.com", "label": "Home"}],
    "emails": [{"email": "us@example.com"}],
}
WEBHOOK = {"callback_url": "https://example.com/whatsapp", "callback_method": "POST"}
CREATE = "/messaging/v2/Channels/Senders"


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, clock: ManualClock) -> Iterator[Server]:
    """Return a server whose time is the test's."""
    with serve(f"sqlite:///{tmp_path_factory.mktemp('parley')}/parley.db", clock) as parley:
        yield parley


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


def looked_at(server: Server, clock: ManualClock, **reviewers: Any) -> None:
    """Have the reviewers look at what waits for them."""
    ask(
        server, "PUT", "/simulator/reviewers", json={"delay_s": 0, "verdict": "approve", **reviewers}
    ).raise_for_status()
    clock.advance(2)
    server.run(server.app.reviewing.turn())


def made(client: Client, address: str, **more: Any) -> Any:
    wanted = client.messaging.v2.channels_senders.MessagingV2ChannelsSenderRequestsCreate(
        {"sender_id": address, "profile": {"name": "Acme"}, **more}
    )
    return client.messaging.v2.channels_senders.create(wanted)


def test_a_sender_is_looked_at_and_then_ready(server: Server, client: Client, clock: ManualClock) -> None:
    senders = client.messaging.v2.channels_senders
    sender = made(client, ADDRESS, profile=PROFILE, webhook=WEBHOOK, configuration={"waba_id": "1"})
    assert (sender.status, sender.sender_id) == ("CREATING", ADDRESS)
    one = senders(sender.sid)
    assert one.fetch().status == "CREATING"
    looked_at(server, clock)
    ready = one.fetch()
    assert (ready.status, ready.offline_reasons) == ("ONLINE", None)
    assert ready.profile["emails"] == [{"email": "us@example.com", "label": "Email"}]
    assert ready.webhook["callback_url"] == WEBHOOK["callback_url"]
    change = senders.MessagingV2ChannelsSenderRequestsUpdate({"profile": {"about": "Much more"}})
    changed = one.update(change)
    assert (changed.profile["about"], changed.profile["name"]) == ("Much more", "Acme")
    assert changed.webhook["callback_url"] == WEBHOOK["callback_url"]
    assert sender.sid in [found.sid for found in senders.list(channel="whatsapp")]
    assert senders.list(channel="rcs") == []
    assert refusal(lambda: made(client, ADDRESS)) == (409, 20001)
    assert one.delete()
    assert refusal(one.fetch) == (404, 20404)
    assert refusal(one.delete) == (404, 20404)


def test_nothing_is_sent_by_a_sender_that_is_not_approved(server: Server, client: Client, clock: ManualClock) -> None:
    looked_at(server, clock, verdict="hold")
    senders, ours, phone = client.messaging.v2.channels_senders, "whatsapp:+15557654322", "whatsapp:+15550009902"
    sender = senders(made(client, ours).sid)
    service = client.messaging.v1.services(client.messaging.v1.services.create(friendly_name="Waiting").sid)
    service.channel_senders.create(sid=sender.fetch().sid)

    def outcome(**given: Any) -> Any:
        answer = ask(server, "POST", f"/2010-04-01/Accounts/{server.account_sid}/Messages.json", data=given).json()
        return answer["code"] if answer["status"] == 400 else answer["status"]

    def outcomes() -> list[Any]:
        to = {"To": phone, "Body": "Hi"}
        chosen = outcome(**to, MessagingServiceSid=service.fetch().sid)
        return [sender.fetch().status, outcome(**to, From=ours), chosen]

    assert outcomes() == ["CREATING", 63007, 21704]
    looked_at(server, clock, verdict="reject", reason="Not known to us.")
    assert outcomes() == ["OFFLINE", 63007, 21704]
    assert [reason["message"] for reason in sender.fetch().offline_reasons] == ["Not known to us."]
    looked_at(server, clock, verdict="hold")
    again = sender.update(senders.MessagingV2ChannelsSenderRequestsUpdate({"profile": {"about": "Well known"}}))
    assert (again.status, again.offline_reasons) == ("CREATING", None)
    looked_at(server, clock)
    assert outcomes() == ["ONLINE", "queued", "accepted"]


def test_it_sends_for_a_service(client: Client) -> None:
    sender = made(client, "whatsapp:+15557654321")
    service = client.messaging.v1.services(client.messaging.v1.services.create(friendly_name="Chats").sid)
    put = service.channel_senders.create(sid=sender.sid)
    assert (put.sid, put.sender, put.sender_type) == (sender.sid, "whatsapp:+15557654321", "WhatsApp")
    assert put.country_code == "US"
    other = client.messaging.v1.services(client.messaging.v1.services.create(friendly_name="Other").sid)
    assert refusal(lambda: service.channel_senders.create(sid=sender.sid)) == (409, 21710)
    assert refusal(lambda: other.channel_senders.create(sid=sender.sid)) == (409, 21712)
    assert refusal(lambda: other.channel_senders.create(sid="XE" + "1" * 32)) == (400, 20001)
    assert refusal(other.channel_senders(sender.sid).fetch) == (404, 21711)
    assert service.channel_senders(sender.sid).fetch().sid == sender.sid
    assert service.channel_senders(sender.sid).delete()
    assert service.channel_senders.list() == []
    other.channel_senders.create(sid=sender.sid)
    assert client.messaging.v2.channels_senders(sender.sid).delete()
    assert other.channel_senders.list() == []


def test_its_webhooks_hear_of_its_messages_alone(
    server: Server, client: Client, receiver: Receiver, clock: ManualClock
) -> None:
    number = client.incoming_phone_numbers.create(phone_number="+14155550401", sms_url=f"{receiver.url}/sms")
    ours, theirs = f"whatsapp:{number.phone_number}", "+15550009901"
    webhook = {"callback_url": f"{receiver.url}/whatsapp", "status_callback_url": f"{receiver.url}/status"}
    made(client, ours, webhook=webhook)
    looked_at(server, clock)
    for to in (ours, number.phone_number):
        ask(server, "POST", f"/simulator/phones/{theirs}/messages", json={"to": to, "body": "Hi"}).raise_for_status()
    receiver.wait(lambda request: request.path in ("/sms", "/whatsapp"), 2)
    assert {request.path: request.form["To"] for request in receiver.requests if request.path != "/status"} == {
        "/whatsapp": ours,
        "/sms": number.phone_number,
    }
    sent = client.messages.create(to=f"whatsapp:{theirs}", from_=ours, body="Hello")
    [told, *_] = receiver.wait(lambda request: request.path == "/status")
    assert told.form["MessageSid"] == sent.sid


def test_it_ends_with_its_number(client: Client) -> None:
    number = client.incoming_phone_numbers.create(phone_number="+14155550402")
    sender = made(client, "whatsapp:+14155550402")
    service = client.messaging.v1.services(client.messaging.v1.services.create(friendly_name="Ending").sid)
    service.channel_senders.create(sid=sender.sid)
    assert client.incoming_phone_numbers(number.sid).delete()
    assert service.channel_senders.list() == []
    assert refusal(client.messaging.v2.channels_senders(sender.sid).fetch) == (404, 20404)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"sender_id": "+15551230000", "profile": {"name": "A"}},
        {"sender_id": "rcs:agent", "profile": {"name": "A"}},
        {"sender_id": "whatsapp:+15551230000"},
        {"sender_id": "whatsapp:+15551230000", "profile": {"name": ["A"]}},
        {"sender_id": "whatsapp:+15551230000", "profile": {"name": "A", "logo_url": "nonsense"}},
        {"sender_id": "whatsapp:+15551230000", "profile": {"name": "A", "unknown": "x"}},
        {"sender_id": "whatsapp:+15551230000", "profile": "A"},
        {
            "sender_id": "whatsapp:+15551230000",
            "profile": {"name": "A"},
            "webhook": {"callback_url": "http://10.0.0.1"},
        },
        {"sender_id": "whatsapp:+15551230000", "profile": {"name": "A"}, "webhook": {"callback_method": "PUT"}},
        {"sender_id": "whatsapp:+15551230000", "profile": {"name": "A"}, "friendly_name": "A"},
        {"sender_id": "whatsapp:+15551230000", "profile": {"name": "A"}, "unknown": 1},
    ],
)
def test_a_wrong_sender_is_refused(server: Server, given: dict[str, Any]) -> None:
    answer = ask(server, "POST", CREATE, json=given)
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)
    listed = ask(server, "GET", f"{CREATE}?Channel=whatsapp").json()["senders"]
    assert "whatsapp:+15551230000" not in [sender["sender_id"] for sender in listed]


def test_lists_ask_for_a_channel(server: Server) -> None:
    for query in ("", "?Channel=pigeon"):
        answer = ask(server, "GET", CREATE + query)
        assert (answer.status_code, answer.json()["code"]) == (400, 20001)


def test_the_strict_profile_answers_on_whatsapp_for_a_day(store_url: str) -> None:
    clock = ManualClock()
    ours, other, phone = "whatsapp:+14155550123", "whatsapp:+14155550124", "+12125550142"
    with serve(store_url, clock, profile="strict") as strict:
        client = client_of(strict)
        for address in (ours, other):
            number = strict.app.numbers.blank(strict.account_id, address.removeprefix("whatsapp:"), "twilio")
            strict.run(strict.app.numbers.own(number))

        def outcome(sender: str = ours) -> tuple[str, int | None]:
            sid = str(client.messages.create(to=f"whatsapp:{phone}", from_=sender, body="Hi").sid)
            found = client.messages(sid).fetch()
            return ("failed", found.error_code) if found.status == "failed" else ("taken", found.error_code)

        assert outcome() == ("failed", 63016)
        said = {"to": ours, "body": "Hello"}
        ask(strict, "POST", f"/simulator/phones/{phone}/messages", json=said).raise_for_status()
        assert outcome(other) == ("failed", 63016)
        assert outcome() == ("taken", None)
        clock.advance(24 * 3600 - 1)
        assert outcome() == ("taken", None)
        clock.advance(2)
        assert outcome() == ("failed", 63016)


def test_the_strict_profile_registers_owned_numbers_only(tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db", profile="strict") as strict:
        assert refusal(lambda: made(client_of(strict), "whatsapp:+14155550123")) == (400, 21659)
