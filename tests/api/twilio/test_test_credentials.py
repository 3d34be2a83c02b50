"""Test credentials: checked as the real ones are, told as done, and nothing happens. Source: the page of that name."""

import pytest
from twilio.rest import Client

from tests.api.twilio.client import Checked, ask, client_of, refusal
from tests.receiver import Receiver
from tests.server import Server

GOOD = "+15005550006"
PHONE = "+15550025001"


@pytest.fixture(scope="module")
def auth(server: Server) -> tuple[str, str]:
    told = ask(server, "GET", "/admin/account").json()
    return told["test_account_sid"], told["test_auth_token"]


@pytest.fixture(scope="module")
def client(server: Server, auth: tuple[str, str]) -> Client:
    client = Client(*auth, http_client=Checked())
    client.api.base_url = server.base_url
    client.messaging.base_url = f"{server.base_url}/messaging"
    return client


def test_a_message_is_told_as_queued_and_is_nowhere(
    client: Client, server: Server, auth: tuple[str, str], receiver: Receiver
) -> None:
    sent = client.messages.create(to=PHONE, from_=GOOD, body="Hi", status_callback=f"{receiver.url}/status")
    assert (sent.status, sent.account_sid, sent.from_, sent.to) == ("queued", auth[0], GOOD, PHONE)
    real = client_of(server)
    assert real.messages.list(to=PHONE) == []
    assert ask(server, "GET", f"/simulator/phones/{PHONE}/messages").json()["messages"] == []
    real.messages.create(to=PHONE, from_="+15551234567", body="x", status_callback=f"{receiver.url}/real")
    receiver.wait(lambda request: request.path == "/real" and request.form["MessageStatus"] == "delivered")
    assert not [request for request in receiver.requests if request.path == "/status"]


@pytest.mark.parametrize(
    ("sender", "recipient", "code"),
    [
        ("+15005550001", PHONE, 21212),
        ("+15005550007", PHONE, 21606),
        ("+15005550008", PHONE, 21611),
        ("+15551234567", PHONE, 21606),
        (GOOD, "+15005550001", 21211),
        (GOOD, "+15005550002", 21612),
        (GOOD, "+15005550003", 21408),
        (GOOD, "+15005550004", 21610),
        (GOOD, "+15005550009", 21614),
        (GOOD, "nonsense", 21211),
        (GOOD, "", 21604),
        ("", PHONE, 21603),
        (GOOD, GOOD, 21266),
    ],
)
def test_the_magic_numbers_of_messages(client: Client, sender: str, recipient: str, code: int) -> None:
    send = client.messages.create
    assert refusal(lambda: send(to=recipient, from_=sender, body="x")) == (400, code)


def test_the_rest_of_a_message_is_checked(client: Client) -> None:
    send = client.messages.create
    assert refusal(lambda: send(to=PHONE, from_=GOOD)) == (400, 21602)
    assert refusal(lambda: send(to=PHONE, from_=GOOD, body="x" * 1601)) == (400, 21617)
    assert refusal(lambda: send(to=PHONE, messaging_service_sid="MG" + "1" * 32, body="x")) == (400, 21701)
    assert refusal(lambda: send(to=PHONE, from_=GOOD, body="x", status_callback="nonsense")) == (400, 21609)


def test_buying(client: Client, server: Server) -> None:
    buy = client.incoming_phone_numbers.create
    assert buy(phone_number=GOOD, friendly_name="Mine").friendly_name == "Mine"
    assert buy(area_code="500").phone_number == GOOD
    assert refusal(lambda: buy(phone_number="+15005550000")) == (400, 21422)
    assert refusal(lambda: buy(phone_number="+15005550001")) == (400, 21421)
    assert refusal(lambda: buy(phone_number="foo")) == (400, 21421)
    assert refusal(lambda: buy(phone_number="+14155550611")) == (400, 21422)
    assert refusal(lambda: buy(area_code="533")) == (400, 21452)
    assert refusal(buy) == (400, 21421)
    assert client_of(server).incoming_phone_numbers.list(phone_number="+1415555061") == []


def test_nothing_else_is_for_them(client: Client, server: Server, auth: tuple[str, str]) -> None:
    assert refusal(client.messages("SM" + "1" * 32).fetch) == (403, 20008)
    assert refusal(client.api.v2010.accounts(auth[0]).fetch) == (403, 20008)
    assert refusal(client.applications.create) == (403, 20008)
    assert refusal(lambda: client.messaging.v1.services.create(friendly_name="x")) == (403, 20008)
    assert refusal(client.api.v2010.accounts(server.account_sid).new_keys.create) == (403, 20008)
    assert ask(server, "GET", "/admin/account", auth=auth).status_code == 403
    assert ask(server, "GET", "/api/messaging/logs", auth=auth).status_code == 403


def test_neither_pair_opens_the_other(server: Server, auth: tuple[str, str]) -> None:
    for sid, token in ((auth[0], server.auth_token), (server.account_sid, auth[1])):
        path = f"/2010-04-01/Accounts/{sid}/Messages.json"
        assert ask(server, "POST", path, data={}, auth=(sid, token)).status_code == 401
    path = f"/2010-04-01/Accounts/{server.account_sid}/Messages.json"
    given = {"To": PHONE, "From": GOOD, "Body": "x"}
    assert ask(server, "POST", path, data=given, auth=auth).json()["code"] == 20003
