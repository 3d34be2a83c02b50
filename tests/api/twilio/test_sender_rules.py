"""The strict profile holds senders to the recipient's country and kind of line, as the official client sees it."""

from collections.abc import Iterator

import pytest
from twilio.rest import Client

from tests.api.twilio.client import client_of, refusal
from tests.server import Server, serve

OURS, BRITISH, NAME = "+14155550123", "+447700900123", "ACME"
US, GERMAN, BRITISH_LANDLINE, FRENCH_LANDLINE = "+12125552671", "+4915123456789", "+442071838750", "+33123456789"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(f"sqlite:///{tmp_path_factory.mktemp('rules')}/parley.db", profile="strict") as parley:
        numbers = parley.app.numbers
        for number in (OURS, BRITISH):
            parley.run(numbers.own(numbers.blank(parley.account_id, number, "twilio")))
        yield parley


@pytest.fixture(scope="module")
def client(strict: Server) -> Client:
    return client_of(strict)


@pytest.mark.parametrize(
    ("sender", "recipient", "code"),
    [
        (NAME, US, 21612),
        (BRITISH, US, 21612),
        (OURS, GERMAN, 21612),
        (OURS, FRENCH_LANDLINE, 21635),
        (OURS, "+19005552671", 21268),
        (NAME, "+449012345678", 21268),
    ],
)
def test_what_cannot_arrive_is_refused_at_once(client: Client, sender: str, recipient: str, code: int) -> None:
    before = len(client.messages.list(to=recipient))
    assert refusal(lambda: client.messages.create(to=recipient, from_=sender, body="x")) == (400, code)
    assert len(client.messages.list(to=recipient)) == before


def test_a_name_is_taken_where_it_is_allowed(client: Client) -> None:
    assert client.messages.create(to=GERMAN, from_=NAME, body="x").status == "queued"


def test_a_landline_can_be_insisted_on(client: Client) -> None:
    made = client.messages.create(to=FRENCH_LANDLINE, from_=OURS, body="x", force_delivery=True)
    assert made.status == "queued"


def test_a_landline_that_its_network_finds_out_ends_as_undelivered(client: Client) -> None:
    made = client.messages.create(to=BRITISH_LANDLINE, from_=OURS, body="x")
    assert made.status == "queued"
    ended = client.messages(str(made.sid)).fetch()
    assert (ended.status, ended.error_code, ended.date_sent) == ("undelivered", 30006, None)


def test_the_dev_profile_lets_all_of_them_pass(server: Server) -> None:
    dev = client_of(server)
    assert dev.messages.create(to=US, from_=BRITISH, body="x").status == "queued"
    for recipient in (US, GERMAN, FRENCH_LANDLINE, "+19005552671", BRITISH_LANDLINE):
        assert dev.messages.create(to=recipient, from_=NAME, body="x").status == "queued"
