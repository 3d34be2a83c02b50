"""The list of numbers out of service, through the official client."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import requests
from twilio.rest import Client

from tests.api.twilio.client import ask, client_of, refusal
from tests.clock import ManualClock
from tests.receiver import Receiver
from tests.server import Server, serve

OURS, GONE, OTHER, CANADIAN = "+15551234567", "+12125550191", "+12125550192", "+14165550193"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def server(store_url: str, clock: ManualClock) -> Iterator[Server]:
    with serve(store_url, clock) as parley:
        yield parley


@pytest.fixture
def client(server: Server) -> Client:
    return client_of(server)


def test_who_is_unknown_to_the_carrier_is_listed_for_a_while(
    server: Server, client: Client, clock: ManualClock, receiver: Receiver
) -> None:
    for phone in (GONE, CANADIAN):
        ask(server, "PUT", f"/simulator/phones/{phone}", json={"outcome": "undelivered"}).raise_for_status()
    for phone in (GONE, GONE, OTHER, CANADIAN):
        client.messages.create(to=phone, from_=OURS, body="Hi", status_callback=receiver.url)
    ended = ("delivered", "undelivered")
    receiver.wait(lambda told: told.form["MessageStatus"] in ended, 4)

    day = datetime.fromtimestamp(clock.now() / 1_000_000, UTC).date()

    def listed(when: date) -> list[str]:
        url = client.messaging.v1.deactivations().fetch(date=when).redirect_to
        answer = requests.get(str(url), timeout=30)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        return answer.text.splitlines()

    assert listed(day) == [GONE]
    assert listed(day - timedelta(days=1)) == []
    link = str(client.messaging.v1.deactivations().fetch(date=day).redirect_to)
    assert requests.get(link[:-1] + ("A" if link[-1] != "A" else "B"), timeout=30).status_code == 404
    assert requests.get(f"{server.base_url}/messaging/v1/Deactivations/nonsense", timeout=30).status_code == 404
    clock.advance(120)
    assert requests.get(link, timeout=30).status_code == 404
    assert refusal(lambda: client.messaging.v1.deactivations().fetch(date=day + timedelta(days=1))) == (400, 30114)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", 30115),
        ("?Date=", 30115),
        ("?Date=nonsense", 30115),
        ("?Date=2025-02-30", 30115),
        ("?Date=2025-01-01T10:00", 30115),
        ("?Date=1969-12-31", 30113),
        ("?Date<=2025-01-01", 20001),
        ("?Day=1", 20001),
    ],
)
def test_what_is_no_day_is_refused(server: Server, query: str, code: int) -> None:
    answer = ask(server, "GET", f"/messaging/v1/Deactivations{query}", allow_redirects=False)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
