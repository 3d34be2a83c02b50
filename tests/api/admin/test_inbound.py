"""What a phone sends comes in as a carrier's message does."""

from base64 import b64encode
from typing import Any

import pytest
import requests

from tests.api.admin.client import OURS, Client, phone
from tests.receiver import Receiver
from tests.receiver import Reply as Answer
from tests.server import Server, serve

PICTURE = {"content_type": "image/png", "data": b64encode(b"\x89PNG picture").decode()}


def say(client: Client, phone: str, said: Any) -> requests.Response:
    return client.call("POST", f"/simulator/phones/{phone}/messages", json=said)


def test_a_phone_sends_text_and_media(client: Client, receiver: Receiver) -> None:
    receiver.answer = lambda _: Answer(200, b"GIF89a", (("Content-Type", "image/gif; x=y"),))
    answer = say(client, phone(), {"to": OURS, "body": "Look", "media": [PICTURE, f"{receiver.url}/b.gif"]})
    assert answer.status_code == 201, answer.text
    record = client.whole(answer.json()["message_id"])
    assert (record["status"], record["direction"], record["body"]) == ("received", "inbound", "Look")
    assert [(each["content_type"], each["size"]) for each in record["media"]] == [("image/png", 12), ("image/gif", 6)]


def test_a_text_may_be_empty(client: Client) -> None:
    answer = say(client, phone(), {"to": OURS, "body": ""})
    assert answer.status_code == 201, answer.text
    assert client.whole(answer.json()["message_id"])["body"] == ""


def test_whatsapp_comes_from_whatsapp(client: Client) -> None:
    from_ = phone()
    answer = say(client, from_, {"to": f"whatsapp:{OURS}", "body": "Hi"})
    record = client.whole(answer.json()["message_id"])
    assert (record["from"], record["to"], record["kind"]) == (f"whatsapp:{from_}", f"whatsapp:{OURS}", "whatsapp")


def test_in_the_dev_profile_the_number_is_owned_on_first_use(client: Client) -> None:
    assert say(client, phone(), {"to": "+15557770001", "body": "Hi"}).status_code == 201
    path = f"/2010-04-01/Accounts/{client.server.account_sid}/IncomingPhoneNumbers.json"
    assert len(client.get(path, PhoneNumber="+15557770001")["incoming_phone_numbers"]) == 1


def test_in_the_strict_profile_it_is_nobodys(sqlite_store_url: str) -> None:
    with serve(sqlite_store_url, profile="strict") as server:
        answer = say(Client(server), "+12125550100", {"to": "+12125550123", "body": "Hi"})
    assert (answer.status_code, answer.json()["code"]) == (404, "sender_not_owned")


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"to": OURS},
        {"to": OURS, "body": None},
        {"to": OURS, "body": 5},
        {"to": OURS, "body": "a" * 1601},
        {"to": OURS, "body": "a\x00b"},
        {"to": OURS, "media": []},
        {"to": OURS, "media": "x"},
        {"to": OURS, "media": [5]},
        {"to": OURS, "media": [{}]},
        {"to": OURS, "media": [{"content_type": "image/png", "data": "?"}]},
        {"to": OURS, "media": [{"content_type": "application/x-msdownload", "data": ""}]},
        {"to": OURS, "media": [{"content_type": "image/pn\u0007g", "data": ""}]},
        {"to": OURS, "media": [{**PICTURE, "name": "x"}]},
        {"to": OURS, "media": [PICTURE] * 11},
        {"to": OURS, "media": [{**PICTURE, "data": b64encode(bytes(2_630_000)).decode()}] * 2},
        {"to": OURS, "media": ["ftp://example.com/a"]},
        {"to": OURS, "media": ["http://10.0.0.1/a"]},
        {"to": OURS, "media": [""]},
        {"to": "", "body": "Hi"},
        {"to": "ACME", "body": "Hi"},
        {"to": "+0", "body": "Hi"},
        {"to": None, "body": "Hi"},
        {"to": OURS, "body": "Hi", "from": "+15551110000"},
    ],
    ids=lambda said: repr(said)[:50],
)
def test_what_a_phone_cannot_say(client: Client, said: Any) -> None:
    answer = say(client, phone(), said)
    assert answer.status_code == 400, answer.text
    assert answer.json().keys() == {"code", "message", "status"}


def test_a_body_beyond_all_measure_is_refused(client: Client) -> None:
    answer = say(client, phone(), {"to": OURS, "media": [{**PICTURE, "data": "A" * 8_000_000}]})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_another_accounts_number_is_nobodys(fresh_server: Server) -> None:
    stranger = fresh_server.run(fresh_server.app.accounts.add("Stranger", auth_token="t" * 32))
    theirs = Client(fresh_server, (f"AC{stranger.id.hex()}", "t" * 32))
    answer = say(theirs, phone(), {"to": OURS, "body": "Hi"})
    assert (answer.status_code, answer.json()["code"]) == (404, "sender_of_another_account")


def test_a_phone_is_seen_by_the_accounts_it_talked_with(fresh_server: Server) -> None:
    stranger = fresh_server.run(fresh_server.app.accounts.add("Stranger", auth_token="t" * 32))
    theirs = Client(fresh_server, (f"AC{stranger.id.hex()}", "t" * 32))
    ours, to = Client(fresh_server), phone()
    message_id = ours.send(to)
    assert len(ours.at(to, wait=10)) == 1
    assert theirs.at(to) == []
    assert theirs.get("/simulator/phones")["phones"] == []
    assert theirs.call("GET", f"/admin/messages/{message_id}").status_code == 404
    forced = {"message_id": message_id, "status": "delivered"}
    assert theirs.call("POST", f"/simulator/phones/{to}/receipts", json=forced).status_code == 404
    assert theirs.get("/admin/events", after=0)["events"] == []
