"""Domains for short links: taken, listed, given up, and refused where they cannot be."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.api.admin.client import Client
from tests.server import Server, serve

_names = count(1)


def name() -> str:
    return f"links{next(_names)}.example.com"


def refused(client: Client, method: str, path: str, body: Any = None) -> tuple[int, str]:
    answer = client.call(method, path, json=body)
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def strange(client: Client) -> Client:
    """Another account's view."""
    app = client.server.app
    account = client.server.run(app.accounts.add("Another"))
    return Client(client.server, (f"AC{account.id.hex()}", account.auth_token.reveal()))


def test_a_domain_is_taken_listed_and_given_up(client: Client) -> None:
    wanted = name()
    made = client.call("POST", "/admin/domains", json={"domain": f"{wanted.upper()}."})
    assert made.status_code == 201
    assert made.json()["domain"] == wanted
    assert made.json() in client.get("/admin/domains")["domains"]
    path = f"/admin/domains/{made.json()['sid']}"
    assert client.call("DELETE", path).status_code == 204
    assert refused(client, "DELETE", path) == (404, "not_found")
    assert made.json() not in client.get("/admin/domains")["domains"]
    assert client.call("POST", "/admin/domains", json={"domain": wanted}).status_code == 201


def test_a_domain_is_one_account_s(client: Client, strange: Client) -> None:
    wanted = {"domain": name()}
    sid = client.call("POST", "/admin/domains", json=wanted).json()["sid"]
    for other in (client, strange):
        assert refused(other, "POST", "/admin/domains", wanted) == (409, "name_taken")
    assert strange.get("/admin/domains") == {"domains": []}
    assert refused(strange, "DELETE", f"/admin/domains/{sid}") == (404, "not_found")


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "https://go.example.com",
        "go.example.com:443",
        "go.example.com/x",
        "-go.example.com",
        "go..example.com",
        "gö.example.com",
        f"{'a' * 64}.example.com",
        ".".join(["a" * 60] * 5),
        5,
        None,
    ],
)
def test_what_is_no_domain_is_refused(client: Client, domain: Any) -> None:
    assert refused(client, "POST", "/admin/domains", {"domain": domain}) == (400, "invalid_parameter")


def test_other_keys_are_refused(client: Client) -> None:
    assert refused(client, "POST", "/admin/domains", {"domain": name(), "certificate": "x"})[0] == 400
    assert refused(client, "POST", "/admin/domains", {})[0] == 400
    assert refused(client, "DELETE", "/admin/domains/nonsense") == (404, "not_found")


@pytest.fixture
def public(tmp_path: Any) -> Iterator[Server]:
    with serve(
        f"sqlite:///{tmp_path}/parley.db", public_url="https://parley.example.com/api", link_url="https://l.example.com"
    ) as server:
        yield server


def test_the_server_s_own_names_are_refused(public: Server) -> None:
    for domain in ("parley.example.com", "l.example.com", "twilio.com", "messaging.twilio.com"):
        assert refused(Client(public), "POST", "/admin/domains", {"domain": domain}) == (400, "invalid_parameter")


def test_links_of_a_message_that_is_none(client: Client) -> None:
    for message in ("nonsense", "SM" + "0" * 32):
        assert refused(client, "GET", f"/admin/messages/{message}/links") == (404, "not_found")
