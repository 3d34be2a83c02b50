"""API keys, through the official client: standard ones, main ones, and what each may do."""

import pytest
from twilio.rest import Client

from parley.core.accounts import TOKEN_GRACE_US
from tests.api.twilio.client import Checked, ask, client_of, refusal
from tests.clock import ManualClock
from tests.server import Server, serve


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


def with_key(server: Server, key: str, secret: str) -> Client:
    """Return the official client with an API key of the first account."""
    client = Client(key, secret, server.account_sid, http_client=Checked())
    client.api.base_url = server.base_url
    return client


@pytest.mark.parametrize("alias", ["keys", "signing_keys"])
def test_make_rename_drop(client: Client, server: Server, alias: str) -> None:
    keys = getattr(client, alias)
    made = getattr(client, f"new_{alias}").create(friendly_name="ci")
    assert (made.friendly_name, made.sid[:2]) == ("ci", "SK")
    assert with_key(server, made.sid, made.secret).messages.list(limit=1) is not None
    key = keys(made.sid)
    assert key.update(friendly_name="build").friendly_name == "build"
    assert key.fetch().friendly_name == "build"
    assert key.fetch().date_updated >= key.fetch().date_created
    assert keys.list(limit=1)[0].sid == made.sid
    assert refusal(lambda: key.update(friendly_name="x" * 65)) == (400, 20002)
    assert key.delete()
    assert refusal(key.fetch) == (404, 20404)
    assert refusal(key.delete) == (404, 20404)


def test_the_two_names_are_of_the_same_keys(client: Client) -> None:
    made = client.new_signing_keys.create()
    assert made.friendly_name == ""
    assert client.keys(made.sid).fetch().sid == made.sid
    assert not any(hasattr(each, "secret") for each in client.keys.list())


def test_pages(client: Client) -> None:
    made = [client.new_keys.create(friendly_name=f"page {n}").sid for n in range(3)]
    first = client.keys.page(page_size=2)
    assert [each.sid for each in first] == made[:0:-1]
    second = first.next_page()
    assert next(iter(second)).sid == made[0]
    assert [each.sid for each in second.previous_page()] == made[:0:-1]


def test_a_standard_key_does_not_see_to_accounts_and_keys(client: Client, server: Server) -> None:
    made = client.new_keys.create(friendly_name="standard")
    keyed = with_key(server, made.sid, made.secret)
    assert keyed.messages.create(to="+15550022001", from_="+15551234567", body="By key").sid
    assert refusal(keyed.keys(made.sid).fetch) == (401, 20003)
    assert refusal(keyed.new_keys.create) == (401, 20003)
    assert refusal(keyed.keys(made.sid).delete) == (401, 20003)
    assert refusal(keyed.api.v2010.accounts(server.account_sid).fetch) == (401, 20003)
    accounts = ask(server, "GET", "/2010-04-01/Accounts.json", auth=(made.sid, made.secret))
    assert accounts.status_code == 401
    assert "standard API key" in accounts.json()["detail"]
    for method, path in (
        ("PUT", "/admin/account"),
        ("POST", "/admin/account/token"),
        ("GET", "/admin/keys"),
        ("POST", "/admin/keys"),
        ("DELETE", f"/admin/keys/{made.sid}"),
    ):
        answer = ask(server, method, path, auth=(made.sid, made.secret), json={})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized"), path
    assert ask(server, "GET", "/admin/account", auth=(made.sid, made.secret)).json()["signing_key"] is None


def test_a_main_key_does_all_but_learn_the_token(client: Client, server: Server) -> None:
    made = ask(server, "POST", "/admin/keys", json={"name": "ops", "kind": "main"}).json()
    assert made["kind"] == "main"
    keyed = with_key(server, made["sid"], made["secret"])
    assert keyed.keys(made["sid"]).fetch().friendly_name == "ops"
    assert keyed.api.v2010.accounts(server.account_sid).fetch().auth_token is None
    sub = client.api.v2010.accounts.create(friendly_name="Sub")
    assert refusal(keyed.api.v2010.accounts(sub.sid).new_keys.create) == (401, 20003)


def test_a_key_of_one_account_is_none_of_anothers(client: Client, server: Server) -> None:
    sub = client.api.v2010.accounts.create(friendly_name="Sub")
    inside = client.api.v2010.accounts(sub.sid).new_keys.create(friendly_name="inside")
    assert refusal(client.keys(inside.sid).fetch) == (404, 20404)
    assert refusal(client.keys(inside.sid).delete) == (404, 20404)
    assert [each.sid for each in client.api.v2010.accounts(sub.sid).keys.list()] == [inside.sid]


def test_a_rotated_token_outlives_a_restart_unless_the_setting_has_a_new_one(store_url: str) -> None:
    def known(token: str, *others: str) -> list[bool]:
        """Which of these tokens are good on a server that is started with the first."""
        with serve(store_url, auth_token=token) as server:
            path = f"/2010-04-01/Accounts/{server.account_sid}/Keys.json"
            answers = [ask(server, "GET", path, auth=(server.account_sid, each)) for each in (token, *others)]
            return [answer.status_code == 200 for answer in answers]

    former, second = "a" * 32, "b" * 32
    with serve(store_url, auth_token=former) as server:
        auth = (server.account_sid, former)
        rotated = str(ask(server, "POST", "/admin/account/token", auth=auth).json()["auth_token"])
        path = f"/2010-04-01/Accounts/{server.account_sid}.json"
    for _ in range(2):
        assert known(former, rotated) == [True, True], "the former one is good for a day"
    with serve(store_url, auth_token=former) as server:
        told = ask(server, "GET", path, auth=(server.account_sid, rotated)).json()
        assert told["auth_token"] == rotated
    assert known(second, rotated, former) == [True, True, False], "a new setting is meant"
    assert known(second, rotated) == [True, True]


def test_a_token_is_rotated_with_a_day_of_grace(client: Client, server: Server) -> None:
    sub = client.api.v2010.accounts.create(friendly_name="Sub")
    path, former = "/admin/account/token", (sub.sid, sub.auth_token)
    rotated = ask(server, "POST", path, auth=former).json()
    assert rotated["auth_token"] != sub.auth_token
    account = f"/2010-04-01/Accounts/{sub.sid}.json"
    assert ask(server, "GET", account, auth=(sub.sid, rotated["auth_token"])).json()["auth_token"]
    # The former one still authenticates, and learns nothing.
    assert ask(server, "GET", account, auth=former).json()["auth_token"] is None


def test_a_key_that_is_gone_opens_nothing_from_then_on(client: Client, server: Server) -> None:
    made = client.new_keys.create(friendly_name="short-lived")
    keyed = with_key(server, made.sid, made.secret)
    for _ in range(2):  # known the second time
        assert keyed.messages.create(to="+15550022002", from_="+15551234567", body="By key").sid
    assert client.keys(made.sid).delete()
    assert refusal(lambda: keyed.messages.create(to="+15550022002", from_="+15551234567", body="Late")) == (401, 20003)


def test_an_account_that_is_suspended_or_closed_sends_nothing_from_then_on(client: Client, server: Server) -> None:
    sub = client.api.v2010.accounts.create(friendly_name="Sub")
    path, auth = f"/2010-04-01/Accounts/{sub.sid}", (sub.sid, sub.auth_token)

    def send() -> int:
        form = {"To": "+15550022003", "From": "+15551234999", "Body": "Hello"}
        return ask(server, "POST", f"{path}/Messages.json", auth=auth, data=form).status_code

    assert [send(), send()] == [201, 201]
    client.api.v2010.accounts(sub.sid).update(status="suspended")
    assert send() == 403
    assert ask(server, "GET", f"{path}/Messages.json", auth=auth).status_code == 200
    client.api.v2010.accounts(sub.sid).update(status="closed")
    assert (send(), ask(server, "GET", f"{path}/Messages.json", auth=auth).status_code) == (401, 401)


def test_a_rotated_token_ends_with_its_grace_and_not_a_moment_later(store_url: str) -> None:
    clock = ManualClock()
    with serve(store_url, clock) as server:
        path = f"/2010-04-01/Accounts/{server.account_sid}/Messages.json"
        assert ask(server, "POST", "/admin/account/token").status_code == 200
        clock.advance(TOKEN_GRACE_US / 1_000_000 - 0.25)
        assert ask(server, "GET", path).status_code == 200
        clock.advance(0.5)
        assert ask(server, "GET", path).status_code == 401
