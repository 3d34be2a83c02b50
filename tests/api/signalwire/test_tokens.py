"""Tokens and signing keys: what a token may do, and which key webhooks are signed with."""

import hashlib
import hmac
from typing import Any

import requests
from requests.auth import HTTPBasicAuth

from tests.api.signalwire.client import Client
from tests.clock import ManualClock
from tests.receiver import Receiver
from tests.server import Server, serve

TOKENS = "/api/project/tokens"
SEND = {"from": "+15551234567", "to": "+15559600001", "body": "Hello"}


def token(client: Client, *permissions: str) -> tuple[str, HTTPBasicAuth]:
    """Make a token; its id, and the credentials that it is."""
    made = client.ask("POST", TOKENS, 200, json={"name": "CI", "permissions": permissions})
    return made["id"], HTTPBasicAuth(client.auth.username, made["token"])


def test_a_token_does_what_it_is_for(client: Client, server: Server) -> None:
    _, messaging = token(client, "messaging")
    _, numbers = token(client, "numbers", "video")
    assert client.raw("POST", "/api/messaging/messages", json=SEND, auth=messaging).status_code == 201
    refused = client.raw("POST", "/api/messaging/messages", json=SEND, auth=numbers)
    assert (refused.status_code, refused.json()) == (403, {"error": "Forbidden"})
    assert client.raw("GET", "/api/relay/rest/phone_numbers", auth=numbers).status_code == 200
    assert client.raw("GET", "/api/relay/rest/phone_numbers", auth=messaging).status_code == 403
    for path in ("/api/projects", "/admin/account", "/admin/callbacks"):
        assert client.raw("GET", path, auth=messaging).status_code in (401, 403), path
    assert (
        client.raw("POST", TOKENS, json={"name": "x", "permissions": ["management"]}, auth=numbers).status_code == 403
    )


def test_a_token_in_laml(client: Client, server: Server) -> None:
    path = f"/api/laml/2010-04-01/Accounts/{server.project_id}"
    form = {"From": SEND["from"], "To": SEND["to"], "Body": "Hello"}
    _, messaging = token(client, "messaging")
    _, numbers = token(client, "numbers")
    assert client.raw("POST", f"{path}/Messages.json", data=form, auth=messaging).status_code == 201
    assert client.raw("POST", f"{path}/Messages.json", data=form, auth=numbers).status_code == 403
    assert client.raw("GET", f"{path}/IncomingPhoneNumbers.json", auth=numbers).status_code == 200
    assert client.raw("POST", f"{path}/Keys.json", data={"FriendlyName": "x"}, auth=numbers).status_code == 401


def test_permissions_can_change_and_tokens_end(client: Client) -> None:
    id, auth = token(client, "numbers")
    client.ask("PATCH", f"{TOKENS}/{id}", 200, json={"permissions": ["messaging"]})
    assert client.raw("POST", "/api/messaging/messages", json=SEND, auth=auth).status_code == 201
    client.raw("DELETE", f"{TOKENS}/{id}")
    assert client.raw("POST", "/api/messaging/messages", json=SEND, auth=auth).status_code == 401


def test_a_token_with_fewer_permissions_does_less_at_once(client: Client) -> None:
    id, auth = token(client, "messaging", "numbers")
    assert client.raw("POST", "/api/messaging/messages", json=SEND, auth=auth).status_code == 201
    client.ask("PATCH", f"{TOKENS}/{id}", 200, json={"permissions": ["numbers"]})
    assert client.raw("POST", "/api/messaging/messages", json=SEND, auth=auth).status_code == 403


def test_a_token_of_a_subproject_is_the_projects_to_change_and_to_end(client: Client, server: Server) -> None:
    made = client.raw("POST", "/api/laml/2010-04-01/Accounts.json", data={"FriendlyName": "Below"}).json()["sid"]
    given = {"name": "CI", "permissions": ["messaging"], "subproject_id": made}
    below = client.ask("POST", TOKENS, 200, json=given)
    auth = HTTPBasicAuth(made, below["token"])
    assert client.raw("GET", "/api/messaging/logs", auth=auth).status_code == 200
    path = f"{TOKENS}/{below['id']}"
    _, of_a_token = token(client, "management")
    assert client.ask("PATCH", path, 200, json={"name": "Builds"}, auth=of_a_token)["name"] == "Builds"
    own = client.ask("POST", TOKENS, 200, json={"name": "Own", "permissions": ["management"]})
    managing = {**given, "permissions": ["management"]}
    other = HTTPBasicAuth(made, client.ask("POST", TOKENS, 200, json=managing)["token"])
    client.ask("DELETE", f"{TOKENS}/{own['id']}", 404, auth=other)
    assert client.raw("DELETE", path).status_code == 204
    assert client.raw("GET", "/api/messaging/logs", auth=auth).status_code == 401


def test_a_secret_that_was_tampered_with_opens_nothing(client: Client) -> None:
    _, auth = token(client, "messaging")
    secret = str(auth.password)
    for wrong in (secret[:-1], secret[:-1] + "x", secret[:34], "PT" + "0" * 72):
        answer = client.raw("GET", "/api/messaging/logs", auth=HTTPBasicAuth(auth.username, wrong))
        assert answer.status_code == 401, wrong


def test_each_error(client: Client) -> None:
    for given, code in (
        ({"permissions": ["messaging"]}, "missing_required_parameter"),
        ({"name": "x"}, "missing_required_parameter"),
        ({"name": "x", "permissions": ["everything"]}, "invalid_parameter"),
        ({"name": "x", "permissions": "messaging"}, "not_an_array_of_strings"),
        ({"name": 1, "permissions": ["messaging"]}, "not_a_string"),
        ({"name": "x", "permissions": ["video"], "subproject_id": "x"}, "invalid_parameter"),
    ):
        assert [found for found, _ in client.codes("POST", TOKENS, json=given)] == [code], given


def test_a_subproject_that_was_closed_is_not_there(client: Client) -> None:
    accounts = "/api/laml/2010-04-01/Accounts"
    made = client.raw("POST", f"{accounts}.json", data={"FriendlyName": "Closing"}).json()["sid"]

    def listed() -> list[str]:
        return [each["id"] for each in client.ask("GET", "/api/projects", 200, params={"name": "Closing"})["data"]]

    assert listed() == [client.ask("GET", f"/api/projects/{made}", 200)["id"]] == [made]
    given = {"name": "CI", "permissions": ["messaging"], "subproject_id": made}
    of_it = f"{TOKENS}/{client.ask('POST', TOKENS, 200, json=given)['id']}"
    client.raw("POST", f"{accounts}/{made}.json", data={"Status": "closed"}).raise_for_status()
    assert listed() == []
    client.ask("GET", f"/api/projects/{made}", 404)
    client.ask("POST", f"/api/projects/{made}/signing-key/rotate", 404)
    assert client.codes("POST", TOKENS, json=given) == [("invalid_parameter", "subproject_id")]
    client.ask("PATCH", of_it, 404, json={"name": "Builds"})
    client.ask("DELETE", of_it, 404)


def test_a_token_keeps_what_it_may_do_unless_told_what_else(client: Client) -> None:
    id, _ = token(client, "messaging")
    assert client.codes("PATCH", f"{TOKENS}/{id}", json={"permissions": []}) == [
        ("missing_required_parameter", "permissions")
    ]
    assert client.ask("PATCH", f"{TOKENS}/{id}", 200, json={"permissions": None})["permissions"] == ["messaging"]


def test_a_rotated_signing_key_signs_after_a_minute(tmp_path: Any, receiver: Receiver) -> None:
    clock = ManualClock()
    with serve(f"sqlite:///{tmp_path}/parley.db", clock) as server:
        client = Client(server)
        before = requests.get(f"{server.base_url}/admin/account", auth=client.auth, timeout=30).json()["signing_key"]
        path = f"/api/projects/{server.project_id}/signing-key/rotate"
        after = client.ask("POST", path, 200)["signing_key"]
        assert after != before

        def signed_with(body: str) -> str:
            client.send(to="+15559600002", body=body, status_callback=f"{receiver.url}/{body}")
            told = receiver.wait(lambda request: request.path == f"/{body}")[0]
            for key in (before, after):
                text = told.url.encode() + told.body
                if told.headers["x-signalwire-signature"] == hmac.new(key.encode(), text, hashlib.sha1).hexdigest():
                    return str(key)
            raise AssertionError("signed with neither")

        assert signed_with("first") == before
        clock.advance(61)
        assert signed_with("second") == after
