"""The examples that ask the API for something, each against a real server and simulated phones."""

import itertools
import runpy
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.examples.conftest import EXAMPLES, Phones, load
from tests.receiver import Receiver, Reply
from tests.server import Server

OURS = "+15556000000"
PICTURE = Reply(200, b"GIF89a of one pixel", (("Content-Type", "image/gif"),))


@pytest.fixture
def client(_environment: None) -> Any:
    return load("clients/parley_twilio.py").connect()


@pytest.fixture
def service(client: Any) -> Iterator[str]:
    """A service of one number."""
    number = "+15556000001"
    client.incoming_phone_numbers.create(phone_number=number)
    made: str = load("twilio/service.py").make(client, "Examples", [number])
    yield made
    client.messaging.v1.services(made).delete()
    client.incoming_phone_numbers.list(phone_number=number)[0].delete()


def refused(call: Any) -> TwilioRestException:
    with pytest.raises(TwilioRestException) as caught:
        call()
    return caught.value


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Twilio's library gives aiohttp credentials the old way
async def test_the_client_for_asyncio(server: Server, phones: Phones) -> None:
    http = load("clients/parley_twilio.py").AsyncParleyHttpClient(server.base_url)
    async with http:
        client = Client(server.account_sid, server.auth_token, http_client=http)
        await client.messages.create_async(from_=OURS, to="+15556000120", body="From asyncio")
        made = await client.messaging.v1.services.create_async(friendly_name="From asyncio")
        assert await client.messaging.v1.services(made.sid).delete_async()
    assert phones.arrived("+15556000120")["body"] == "From asyncio"


def test_what_is_elsewhere_is_left_alone() -> None:
    led = load("clients/parley_twilio.py").led
    for url in ("https://example.org/a?b", "https://twilio.com.example.org/", "https://nottwilio.com/"):
        assert led("http://127.0.0.1:1", url, None) == (url, None)
    there = led("http://127.0.0.1:1/", "https://api.dublin.ie1.twilio.com:443/a?b=c", {"X": "y"})
    assert there == ("http://127.0.0.1:1/a?b=c", {"X": "y", "Host": "api.dublin.ie1.twilio.com"})


def test_send(client: Any, phones: Phones) -> None:
    send = load("twilio/send.py")
    assert send.send(client, OURS, "+15556000100", "Hello").startswith("SM")
    assert phones.arrived("+15556000100")["body"] == "Hello"
    assert send.explain(refused(lambda: send.send(client, OURS, "12", "x"))) == "That is not a phone number"
    phones.says("+15556000100", OURS, "STOP")
    phones.arrived("+15556000100", "unsubscribed")
    assert send.explain(refused(lambda: send.send(client, OURS, "+15556000100", "x"))) == "They have opted out"


def test_send_from_the_command_line(phones: Phones, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES / "clients"))
    script = EXAMPLES / "twilio" / "send.py"

    def run(recipient: str) -> "subprocess.CompletedProcess[str]":
        words = [sys.executable, str(script), OURS, recipient, "From the shell"]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)

    assert run("+15556000101").stdout.startswith("SM")
    assert phones.arrived("+15556000101")["body"] == "From the shell"
    wrong = run("12")
    assert (wrong.returncode, wrong.stderr) == (1, "That is not a phone number\n")


def test_history(client: Any) -> None:
    history = load("twilio/history.py")
    sent: list[str] = []
    for number in range(5):
        sent.insert(0, client.messages.create(from_=OURS, to="+15556000102", body=f"No {number}").sid)
    while not all(client.messages(sid).fetch().date_sent for sid in sent):
        pass
    pages = history.page_by_page(client, 2, to="+15556000102")
    assert [[message.sid for message in page] for page in pages] == [sent[:2], sent[2:4], sent[4:]]
    now = datetime.now(UTC)
    assert {*sent} <= {message.sid for message in history.since(client, now - timedelta(days=1), 3)}
    assert list(history.since(client, now + timedelta(days=2))) == []


def test_service(client: Any, phones: Phones, service: str) -> None:
    sid = load("twilio/service.py").send(client, service, "+15556000103", "From one of us")
    message = phones.arrived("+15556000103")
    assert (message["from"], message["body"]) == ("+15556000001", "From one of us")
    assert client.messages(sid).fetch().messaging_service_sid == service


def test_a_service_prefers_senders_of_the_recipients_country(client: Any, phones: Phones) -> None:
    numbers = ["+15556000002", "+447400000002"]
    for number in numbers:
        client.incoming_phone_numbers.create(phone_number=number)
    service = load("twilio/service.py")
    sid = service.make(client, "Both sides of the ocean", numbers)
    for recipient, sender in (("+447911123456", numbers[1]), ("+15556000132", numbers[0])):
        service.send(client, sid, recipient, "Hello over there")
        assert phones.arrived(recipient)["from"] == sender


def test_bulk(client: Any, phones: Phones, service: str) -> None:
    good = [f"+1555600011{n}" for n in range(5)]
    phones.says(good[4], "+15556000001", "STOP")
    phones.arrived(good[4])
    outcomes = load("twilio/bulk.py").send_all(client, service, "Closed today", [*good, "12", good[0]])
    assert [(each.recipient, each.error) for each in outcomes] == [
        *((phone, None) for phone in good),
        ("12", 21211),
    ]
    assert client.messages(outcomes[4].sid).fetch().error_code == 21610
    assert all(phones.arrived(phone, "Closed")["message_id"] for phone in good[:4])


def test_schedule(client: Any, service: str) -> None:
    schedule = load("twilio/schedule.py")
    appointment = datetime.now(UTC) + timedelta(days=2)
    sid = schedule.remind(client, service, "+15556000104", appointment)
    message = client.messages(sid).fetch()
    assert message.status == "scheduled"
    assert message.body == f"See you at {appointment:%H:%M}. Reply STOP for no more reminders."
    assert schedule.call_off(client, sid)
    assert client.messages(sid).fetch().status == "canceled"
    assert not schedule.call_off(client, sid)
    too_near = refused(lambda: schedule.remind(client, service, "+15556000104", datetime.now(UTC)))
    assert 35110 < too_near.code < 35120


def test_short_links(client: Any, phones: Phones, service: str, server: Server) -> None:
    link = "https://example.com/orders/1234?token=a-long-one"
    text = load("twilio/short_links.py").send_link(client, service, "+15556000105", link)
    assert text.startswith(f"Your order is on its way: {server.base_url}/")
    (short,) = phones.arrived("+15556000105")["links"]
    answer = requests.get(short, allow_redirects=False, timeout=30)
    assert (answer.status_code // 100, answer.headers["Location"]) == (3, link)


def test_whatsapp(client: Any, phones: Phones, receiver: Receiver) -> None:
    whatsapp = load("twilio/whatsapp.py")
    receiver.answer = lambda _: PICTURE
    phones.behaves("+15556000106", reads=True)
    sid = whatsapp.send(client, OURS, "+15556000106", "Look", f"{receiver.url}/picture.gif")
    message = phones.arrived("+15556000106", "Look")
    assert (message["from"], len(message["media"])) == (f"whatsapp:{OURS}", 1)
    while not whatsapp.was_read(client, sid):
        pass
    whatsapp.show_place(client, OURS, "+15556000106", "Nairobi", -1.232, 36.821)
    assert phones.arrived("+15556000106", "Nairobi")["from"] == f"whatsapp:{OURS}"
    phones.behaves("+15556000107", outcome="undelivered", error_code=63003)
    sid = whatsapp.send(client, OURS, "+15556000107", "Lost")
    error = refused(lambda: all(whatsapp.was_read(client, sid) is False for _ in itertools.count()))
    assert error.code == whatsapp.NOT_ON_WHATSAPP


def test_pictures_out_and_deleted(client: Any, phones: Phones, receiver: Receiver) -> None:
    media = load("twilio/media.py")
    receiver.answer = lambda _: PICTURE
    urls = [f"{receiver.url}/{n}.gif" for n in range(2)]
    sid = media.send_pictures(client, OURS, "+15556000108", "Two", urls)
    assert [each["content_type"] for each in phones.arrived("+15556000108")["media"]] == ["image/gif"] * 2
    assert media.delete_media(client, sid) == 2
    assert media.delete_media(client, sid) == 0


def test_consent_check(client: Any, phones: Phones, service: str) -> None:
    has_opted_out = load("twilio/consent_check.py").has_opted_out
    assert not has_opted_out(service, "+15556000109")
    phones.says("+15556000109", "+15556000001", "STOP")
    phones.arrived("+15556000109")
    assert has_opted_out(service, "+15556000109")


def test_segments(client: Any) -> None:
    count = load("twilio/segments.py").segments
    texts = [
        "x" * 160,
        "x" * 161,
        "{" * 80,
        "x" * 152 + "€" * 20,
        "☕" * 70,
        "☕" * 71,
        "💡" * 35,
        "x" * 66 + "💡" * 34,
    ]
    sent = [client.messages.create(from_=OURS, to="+15556000130", body=text) for text in texts]
    assert [str(count(text)) for text in texts] == [message.num_segments for message in sent]


def test_segments_that_are_saved(client: Any, phones: Phones) -> None:
    segments = load("twilio/segments.py")
    text = "“Curly” – and long enough to take two segments where it is not made plain, as it is here"
    assert segments.segments(text) == 2
    assert segments.send_plainly(client, OURS, "+15556000131", text) == 1
    assert phones.arrived("+15556000131", "long enough")["body"].startswith('"Curly" - and')


def test_register(client: Any, service: str, server: Server) -> None:
    register = load("twilio/register.py")
    reviewers = requests.put(
        f"{server.base_url}/simulator/reviewers", json={"delay_s": 0}, auth=server.auth, timeout=30
    )
    assert reviewers.ok
    profiles = ("BU" + "1" * 32, "BU" + "2" * 32)
    brand, campaign = register.register(client, service, *profiles, wait=lambda: None)
    assert (brand[:2], campaign[:2]) == ("BN", "QE")
    state, errors = next(
        told for _ in itertools.count() if (told := register.state(client, service, campaign))[0] != "PENDING"
    )
    assert (state, errors) == ("VERIFIED", [])


MODULES = ("twilio/arguments.py", "twilio/webhooks.py")
PROGRAMS = [path for path in sorted((EXAMPLES / "twilio").glob("*.py")) if f"twilio/{path.name}" not in MODULES]
SERVERS = {"consent_log", "delivery", "keywords", "media", "rate_limit", "steps", "survey"}


def ends(example: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> object:
    """What an example ends with when it is run with these words."""
    monkeypatch.setattr(sys, "argv", [str(example), *words])
    monkeypatch.syspath_prepend(str(EXAMPLES / "clients"))
    monkeypatch.syspath_prepend(str(example.parent))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(example), run_name="__main__")
    return ended.value.code


@pytest.mark.parametrize("example", PROGRAMS, ids=lambda path: path.stem)
def test_an_example_says_what_it_takes(
    example: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("PARLEY_URL", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"):
        monkeypatch.delenv(name)
    assert ends(example, monkeypatch, "--help") == 0
    assert capsys.readouterr().out.startswith(f"usage: {example.name} ")
    assert ends(example, monkeypatch, *(["one too many"] if example.stem in SERVERS else [])) == 2
    assert capsys.readouterr().err.startswith(f"usage: {example.name} ")


def test_every_example_is_run_by_a_test() -> None:
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("*.*"))
    for example in (EXAMPLES / "twilio").glob("*.py"):
        assert f"twilio/{example.name}" in tests, example.name
