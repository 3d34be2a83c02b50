"""The examples that answer webhooks, each behind the official validator, with simulated phones."""

import csv
import io
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.examples.conftest import Phones, Serve, load
from tests.receiver import Receiver, Reply
from tests.server import Server

PICTURE = b"GIF89a of one pixel"
ATTACHED = {"content_type": "image/gif", "data": b64encode(PICTURE).decode()}


@pytest.fixture
def client(_environment: None) -> Any:
    return load("clients/parley_twilio.py").connect()


def own(client: Any, number: str, url: str) -> str:
    """Own a number whose messages go to a URL."""
    client.incoming_phone_numbers.create(phone_number=number, sms_url=url, sms_method="POST")
    return number


def test_nobody_else_is_listened_to(serve: Serve) -> None:
    heard: list[dict[str, str]] = []
    url = serve({"/sms": heard.append})
    for headers in ({}, {"X-Twilio-Signature": "bm90IGl0"}):
        assert requests.post(f"{url}/sms", {"Body": "Hi"}, headers=headers, timeout=30).status_code == 403
    assert heard == []


def test_keywords(client: Any, serve: Serve, phones: Phones) -> None:
    number = own(client, "+15557000001", serve({"/sms": load("twilio/keywords.py").route}) + "/sms")
    assert phones.talk("+15550001111", number, " Balance ", "$")["body"] == "You have $25.00."
    assert phones.talk("+15557000101", number, "echo Ünï & 💡", "Ünï")["body"] == "Ünï & 💡"
    assert phones.talk("+15557000102", number, "What?", "Ask")["body"] == "Ask for BALANCE, ECHO, MENU."
    assert phones.talk("+15557000103", number, "STOP", "unsubscribed")["from"] == number


def test_survey(client: Any, serve: Serve, phones: Phones) -> None:
    survey = load("twilio/survey.py")
    surveys = survey.Surveys()
    number = own(client, "+15557000002", serve({"/sms": surveys.receive}) + "/sms")
    phone, other = "+15557000104", "+15557000105"
    phones.talk(phone, number, "Hi", "How did you like it")
    phones.talk(phone, number, "eleven", "Please send a number")
    phones.talk(other, number, "Hi", "How did you like it")
    phones.talk(phone, number, "9", "Tell us why")
    phones.talk(phone, number, "Fast, and kind", "That was all")
    phones.talk(phone, number, "And?", "already")
    phones.talk(other, number, "3", "Tell us why")
    phones.talk(other, number, "skip", "That was all")
    answers = [(each.rating, each.comment) for each in surveys.by_phone.values()]
    assert answers == [(9, "Fast, and kind"), (3, None)]


def test_steps(client: Any, serve: Serve, phones: Phones, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = load("twilio/steps.py")
    receiver.answer = lambda _: Reply(200, PICTURE, (("Content-Type", "image/gif"),))
    monkeypatch.setattr(steps, "PICTURE", f"{receiver.url}/place.gif")
    url = serve({"/sms": steps.order, "/price": steps.price, "/receipt": steps.receipt, "/quiet": steps.nothing})
    number = own(client, "+15557000003", f"{url}/sms")
    phones.talk("+15557000106", number, "Hi", "Say small or large")
    assert (
        phones.talk("+15557000106", number, "Large pizza & olives", "is $")["body"] == "A large pizza & olives is $5."
    )
    ready = phones.arrived("+15557000106", "20 minutes")
    assert (ready["body"], len(ready["media"])) == ("Your pizza & olives is ready in 20 minutes.", 1)
    quiet = own(client, "+15557000004", f"{url}/quiet")
    sid = phones.says("+15557000107", quiet, "Anybody?")
    assert client.messages(sid).fetch().status == "received"


def test_media(client: Any, serve: Serve, phones: Phones, tmp_path: Path) -> None:
    album = load("twilio/media.py").Album(client, tmp_path)
    number = own(client, "+15557000005", serve({"/sms": album.receive}) + "/sms")
    phones.talk("+15557000108", number, "Hi", "Send a picture")
    sid = phones.says("+15557000108", number, "Two of them", ATTACHED, ATTACHED)
    assert phones.arrived("+15557000108", "Thank you")["body"] == "Thank you for 2 of them!"
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        f"{sid}-{position}.gif": PICTURE for position in range(2)
    }
    assert client.messages(sid).media.list() == []


def test_consent_log(client: Any, serve: Serve, phones: Phones) -> None:
    file = io.StringIO()
    log = load("twilio/consent_log.py").ConsentLog(file)
    heard: list[str] = []

    def receive(event: dict[str, str]) -> Any:
        answer = log.receive(event)
        heard.append(event["Body"])
        return answer

    number = own(client, "+15557000006", serve({"/sms": receive}) + "/sms")
    for body, answer in (("Stop ", "unsubscribed"), ("START", "subscribed again")):
        phones.talk("+15557000109", number, body, answer)
    phones.says("+15557000109", number, "Hello")
    while len(heard) < 3:
        client.messages.list(limit=1)
    lines = [line[1:] for line in csv.reader(io.StringIO(file.getvalue()))]
    assert lines == [["+15557000109", number, "out", "Stop"], ["+15557000109", number, "in", "START"]]


def test_rate_limit(client: Any, serve: Serve, phones: Phones) -> None:
    rate_limit = load("twilio/rate_limit.py")
    now = [0.0]
    limit = rate_limit.RateLimit(most=2, within_s=60, now=lambda: now[0])
    number = own(client, "+15557000007", serve({"/sms": rate_limit.Greeter(limit).receive}) + "/sms")
    for body in ("one", "two"):
        phones.talk("+15557000110", number, body, f"You said: {body}")
    assert not limit.allows("+15557000110")
    phones.talk("+15557000111", number, "I may", "You said: I may")
    now[0] = 60.0
    phones.talk("+15557000110", number, "again", "You said: again")
    assert limit.allows("+15557000110")
    assert not limit.allows("+15557000110")


def test_delivery(client: Any, serve: Serve, phones: Phones, server: Server) -> None:
    delivery = load("twilio/delivery.py")
    tracker = delivery.Tracker(client, "")
    tracker.url = serve({"/status": tracker.hear}) + "/status"
    from_, to = "+15557000008", "+15557000112"
    good = tracker.send(from_=from_, to=to, body="Arrives")
    phones.behaves("+15557000113", outcome="undelivered", error_code=30005)
    wrong = tracker.send(from_=from_, to="+15557000113", body="Never arrives")
    phones.behaves("+15557000114", reachable=False)
    off = tracker.send(from_=from_, to="+15557000114", body="Not yet")
    while off not in tracker.again or "undelivered" not in tracker.told[tracker.again[off]]:
        client.messages.list(limit=1)
    while "delivered" not in tracker.told[good] or "undelivered" not in tracker.told[wrong]:
        client.messages.list(limit=1)
    assert tracker.told[good] == ["sent", "delivered"]
    assert set(tracker.again) == {off}
    assert client.messages(tracker.again[off]).fetch().body == "Not yet"
