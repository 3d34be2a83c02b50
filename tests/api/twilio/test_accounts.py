"""Accounts and their subaccounts, through the official client."""

from functools import partial
from typing import Any

import pytest
from twilio.rest import Client

from tests.api.twilio.client import Checked, ask, client_of, refusal
from tests.receiver import Receiver
from tests.server import Server

PHONE = "+15550021001"


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


def as_account(server: Server, sid: str, token: str) -> Client:
    """Return the official client with other credentials."""
    client = Client(sid, token, http_client=Checked())
    client.api.base_url = server.base_url
    return client


def subaccount(client: Client, name: str = "Sub") -> Any:
    return client.api.v2010.accounts.create(friendly_name=name)


def test_the_account(client: Client, server: Server) -> None:
    account = client.api.v2010.accounts(server.account_sid).fetch()
    assert (account.sid, account.status, account.type) == (server.account_sid, "active", "Full")
    assert (account.auth_token, account.owner_account_sid) == (server.auth_token, server.account_sid)
    renamed = client.api.v2010.accounts(server.account_sid).update(friendly_name="Acme")
    assert (renamed.friendly_name, client.api.v2010.accounts(server.account_sid).fetch().friendly_name) == (
        "Acme",
        "Acme",
    )
    assert refusal(client.api.v2010.accounts("AC" + "f" * 32).fetch) == (401, 20003)


def test_subaccounts_are_listed_with_their_owner(client: Client, server: Server) -> None:
    made = [subaccount(client, f"List {n}") for n in range(3)]
    assert all(each.owner_account_sid == server.account_sid and each.auth_token for each in made)
    listed = client.api.v2010.accounts.list(page_size=2)
    assert [each.sid for each in listed[:3]] == [each.sid for each in reversed(made)]
    assert listed[-1].sid == server.account_sid
    assert [each.sid for each in client.api.v2010.accounts.list(friendly_name="List 1")] == [made[1].sid]
    assert made[0].sid not in [each.sid for each in client.api.v2010.accounts.list(status="closed")]
    unnamed = client.api.v2010.accounts.create()
    assert unnamed.friendly_name.startswith("SubAccount Created at 2")


def test_an_owner_acts_for_a_subaccount_and_not_the_other_way(client: Client, server: Server) -> None:
    made = subaccount(client)
    inside = client.api.v2010.accounts(made.sid)
    number = inside.incoming_phone_numbers.create(phone_number="+14155550311")
    assert number.account_sid == made.sid
    sent = inside.messages.create(to=PHONE, from_=number.phone_number, body="On behalf")
    assert sent.account_sid == made.sid
    own = as_account(server, made.sid, made.auth_token)
    assert [each.sid for each in own.messages.list()] == [sent.sid]
    assert sent.sid not in [each.sid for each in client.messages.list()]
    assert inside.messages(sent.sid).fetch().body == "On behalf"
    assert refusal(client.messages(sent.sid).fetch) == (404, 20404)
    # Neither its owner nor a sibling is a subaccount's to see.
    other = subaccount(client)
    for sid in (server.account_sid, other.sid):
        assert refusal(own.api.v2010.accounts(sid).fetch) == (401, 20003)
        assert refusal(own.api.v2010.accounts(sid).messages(sent.sid).fetch) == (401, 20003)
    assert [each.sid for each in own.api.v2010.accounts.list()] == [made.sid]
    assert refusal(own.api.v2010.accounts.create) == (400, 21101)


def test_a_message_to_a_subaccounts_number_is_signed_with_its_token(
    client: Client, server: Server, receiver: Receiver
) -> None:
    made = subaccount(client)
    client.api.v2010.accounts(made.sid).incoming_phone_numbers.create(
        phone_number="+14155550312", sms_url=f"{receiver.url}/sub"
    )
    ask(
        server,
        "POST",
        "/simulator/phones/+15550021002/messages",
        json={"to": "+14155550312", "body": "Hi"},
        auth=(made.sid, made.auth_token),
    ).raise_for_status()
    [told] = receiver.wait(lambda request: request.path == "/sub")
    assert told.form["AccountSid"] == made.sid


def test_a_suspended_account_can_be_read_and_made_active_again(client: Client, server: Server) -> None:
    made = subaccount(client)
    inside, own = client.api.v2010.accounts(made.sid), as_account(server, made.sid, made.auth_token)
    own.incoming_phone_numbers.create(phone_number="+14155550313")
    assert inside.update(status="suspended").status == "suspended"
    for acting in (inside, own):
        send, buy = acting.messages.create, acting.incoming_phone_numbers.create
        assert refusal(partial(send, to=PHONE, from_="+14155550313", body="x")) == (403, 20005)
        assert refusal(partial(buy, phone_number="+14155550314")) == (403, 20005)
        assert len(acting.incoming_phone_numbers.list()) == 1
        assert acting.messages.list() == []
    path = f"/2010-04-01/Accounts/{made.sid}/Messages.json"
    assert {ask(server, method, path).status_code for method in ("GET", "HEAD")} == {200}
    for refused, path, body in (
        (403, "/messaging/v1/Services", {"data": {"FriendlyName": "Mine"}}),
        (422, "/api/relay/rest/phone_numbers", {"json": {"number": "+14155550317"}}),
    ):
        auth = (made.sid, made.auth_token)
        asked = [ask(server, "POST", path, auth=auth, **body) for _ in range(2)]  # looked up, and remembered
        assert [answer.status_code for answer in asked] == [refused] * 2
        assert ask(server, "GET", path, auth=auth).status_code == 200
    assert refusal(lambda: own.api.v2010.accounts(made.sid).update(status="active")) == (400, 21477)
    assert inside.update(status="active").status == "active"
    assert own.messages.create(to=PHONE, from_="+14155550313", body="Back").sid


def test_a_message_to_a_suspended_account_is_kept(client: Client, server: Server) -> None:
    made = subaccount(client)
    inside = client.api.v2010.accounts(made.sid)
    inside.incoming_phone_numbers.create(phone_number="+14155550315")
    inside.update(status="suspended")
    said = {"to": "+14155550315", "body": "Anybody there?"}
    path = "/simulator/phones/+15550021003/messages"
    ask(server, "POST", path, json=said, auth=(made.sid, made.auth_token)).raise_for_status()
    assert [each.body for each in inside.messages.list()] == ["Anybody there?"]


def test_closing_is_for_good(client: Client, server: Server) -> None:
    made = subaccount(client)
    inside, own = client.api.v2010.accounts(made.sid), as_account(server, made.sid, made.auth_token)
    own.incoming_phone_numbers.create(phone_number="+14155550316")
    sent = own.messages.create(to=PHONE, from_="+14155550316", body="Last words")
    assert inside.update(status="closed").status == "closed"
    assert refusal(own.messages(sent.sid).fetch) == (401, 20003)
    assert [each.sid for each in inside.messages.list()] == [sent.sid]
    assert inside.incoming_phone_numbers.list() == []
    assert refusal(lambda: inside.update(status="active")) == (400, 21479)
    assert refusal(lambda: inside.messages.create(to=PHONE, from_="+14155550316", body="x")) == (403, 20005)
    assert client.incoming_phone_numbers.create(phone_number="+14155550316").account_sid == server.account_sid
    assert made.sid in [each.sid for each in client.api.v2010.accounts.list(status="closed")]


def test_what_an_update_may_not_say(client: Client, server: Server) -> None:
    me = client.api.v2010.accounts(server.account_sid)
    assert refusal(lambda: me.update(status="suspended")) == (400, 21477)
    assert refusal(lambda: me.update(status="asleep")) == (400, 21475)
    assert refusal(lambda: me.update(friendly_name="x" * 65)) == (400, 20002)
    assert refusal(lambda: me.update(friendly_name="")) == (400, 20002)
    assert me.update(status="active").status == "active"


def test_subaccounts_survive_a_restart_of_what_is_remembered(fresh_server: Server) -> None:
    client = client_of(fresh_server)
    made = subaccount(client, "Kept")
    key = client.api.v2010.accounts(made.sid).new_keys.create(friendly_name="k")
    client.api.v2010.accounts(made.sid).update(status="suspended")
    fresh_server.app.accounts.forget()
    kept = client.api.v2010.accounts(made.sid).fetch()
    assert (kept.friendly_name, kept.status, kept.owner_account_sid) == ("Kept", "suspended", fresh_server.account_sid)
    assert kept.auth_token == made.auth_token
    assert [each.sid for each in client.api.v2010.accounts(made.sid).keys.list()] == [key.sid]
    assert client.api.v2010.accounts(made.sid).update(status="closed").status == "closed"
    assert client.api.v2010.accounts(made.sid).keys.list() == []
