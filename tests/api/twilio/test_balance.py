"""What an account may do that costs: its balance, its credit, and the countries that it may write to."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from twilio.rest import Client

from tests.api.twilio.client import ask, client_of, refusal
from tests.api.twilio.test_usage import in_events, send
from tests.clock import ManualClock
from tests.server import Server, serve

OURS, PHONE, CANADIAN, FRENCH = "+15551234567", "+15550009101", "+14165550101", "+33612345678"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def money(tmp_path: Path, clock: ManualClock) -> Iterator[Server]:
    """Return a server whose usage is this test's alone."""
    with serve(f"sqlite:///{tmp_path}/parley.db", clock) as server:
        yield server


@pytest.fixture
def client(money: Server) -> Client:
    return client_of(money)


def allow(server: Server, **given: Any) -> dict[str, Any]:
    answer = ask(server, "PUT", "/admin/allowance", json=given)
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    return changed


def test_without_a_limit_the_balance_is_what_was_spent(money: Server, client: Client) -> None:
    first = client.balance.fetch()
    assert (first.account_sid, first.balance, first.currency) == (money.account_sid, "0.00", "USD")
    send(money, client)
    assert client.balance.fetch().balance == "-0.0079"


def test_a_message_has_its_price_once_it_was_sent(money: Server, client: Client) -> None:
    made = client.messages.create(to=PHONE, from_=OURS, body="x" * 200)
    assert (made.price, made.price_unit) == (None, "USD")
    record = ask(money, "GET", f"/admin/messages/{made.sid}").json()
    in_events(money, money.auth, record["message_id"], "sent")
    assert client.messages(str(made.sid)).fetch().price == "-0.01580"
    heard = ask(money, "POST", f"/simulator/phones/{PHONE}/messages", json={"to": OURS, "body": "Hi"}).json()
    [inbound] = client.messages.list(from_=PHONE)
    assert (inbound.price, heard["message_id"].replace("-", "")) == ("-0.00790", str(inbound.sid)[2:])


def test_who_spent_the_credit_sends_no_more_until_it_is_topped_up(
    money: Server, client: Client, clock: ManualClock
) -> None:
    assert allow(money, credit="0.01")["balance"] == "0.010000"
    for _ in range(2):
        send(money, client)
    assert client.balance.fetch().balance == "-0.0058"
    clock.advance(2)
    assert refusal(lambda: client.messages.create(to=PHONE, from_=OURS, body="x")) == (403, 20005)
    more = ask(money, "POST", "/admin/allowance/top_up", json={"amount": "1.5"}).json()
    assert more == {"geo_permissions": None, "credit": "1.510000", "balance": "1.494200"}
    send(money, client)
    assert client.balance.fetch().balance == "1.4863"
    assert allow(money, credit=None)["credit"] is None
    assert Decimal(str(client.balance.fetch().balance)) == Decimal("-0.0237")


def test_a_subaccount_spends_its_owners_money(money: Server, client: Client, clock: ManualClock) -> None:
    made = client.api.v2010.accounts.create(friendly_name="Sub")
    sub = Client(made.sid, made.auth_token)
    sub.api.base_url = money.base_url
    own = str(made.sid), str(made.auth_token)
    refused = ask(money, "PUT", "/admin/allowance", auth=own, json={"credit": "5"})
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_parameter")
    send(money, sub, auth=own, from_="+15551230001")
    assert client.balance.fetch().balance == sub.balance.fetch().balance == "-0.0079"
    allow(money, credit="0.0079")
    clock.advance(2)
    assert refusal(lambda: sub.messages.create(to=PHONE, from_="+15551230001", body="x")) == (403, 20005)


def test_countries_that_are_not_enabled_are_not_written_to(money: Server, client: Client) -> None:
    assert allow(money, geo_permissions=["FR", "US"])["geo_permissions"] == ["FR", "US"]
    assert refusal(lambda: client.messages.create(to=CANADIAN, from_=OURS, body="x")) == (400, 21408)
    for to in (PHONE, FRENCH):
        client.messages.create(to=to, from_=OURS, body="x")
    assert allow(money, geo_permissions=None)["geo_permissions"] is None
    client.messages.create(to=CANADIAN, from_=OURS, body="x")
    allow(money, geo_permissions=[])
    assert refusal(lambda: client.messages.create(to=PHONE, from_=OURS, body="x")) == (400, 21408)


def test_a_standard_key_does_not_raise_the_bound_that_it_is_held_to(money: Server, client: Client) -> None:
    allow(money, credit="5.00")
    key = client.new_keys.create(friendly_name="standard")
    for method, path, given in (
        ("PUT", "/admin/allowance", {"credit": "500.00"}),
        ("POST", "/admin/allowance/top_up", {"amount": "500.00"}),
    ):
        assert ask(money, method, path, json=given, auth=(key.sid, key.secret)).status_code == 401
    assert ask(money, "GET", "/admin/allowance", auth=(key.sid, key.secret)).json()["credit"] == "5.000000"


def test_settings_hold_until_an_account_has_its_own(tmp_path: Path) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db", geo_permissions="us, ca", credit=5.0) as server:
        client = client_of(server)
        assert client.balance.fetch().balance == "5.00"
        assert refusal(lambda: client.messages.create(to=FRENCH, from_=OURS, body="x")) == (400, 21408)
        allow(server, geo_permissions=["FR"], credit="7")
        client.messages.create(to=FRENCH, from_=OURS, body="x")
        assert refusal(lambda: client.messages.create(to=PHONE, from_=OURS, body="x")) == (400, 21408)
        assert ask(server, "GET", "/admin/allowance").json()["credit"] == "7.000000"


@pytest.mark.parametrize(
    ("method", "path", "given"),
    [
        ("PUT", "", {"credit": "-1"}),
        ("PUT", "", {"credit": "1.0000001"}),
        ("PUT", "", {"credit": 5}),
        ("PUT", "", {"geo_permissions": ["USA"]}),
        ("PUT", "", {"geo_permissions": "US"}),
        ("PUT", "", {"currency": "EUR"}),
        ("POST", "/top_up", {"amount": "much"}),
        ("POST", "/top_up", {"amount": "1"}),
    ],
)
def test_what_is_not_understood_changes_nothing(server: Server, method: str, path: str, given: dict[str, Any]) -> None:
    before = ask(server, "GET", "/admin/allowance").json()
    answer = ask(server, method, f"/admin/allowance{path}", json=given)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
    assert ask(server, "GET", "/admin/allowance").json() == before
