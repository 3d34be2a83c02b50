"""Media of messages: listed, described, served and deleted."""

from hashlib import sha256
from typing import Any

import pytest
from twilio.rest import Client

from tests.api.twilio.client import Raw, ask, client_of, refusal
from tests.receiver import Receiver, Reply, receiving
from tests.server import Server

US = "+15551234567"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(64)
PAGE = b"<script>alert(1)</script>"


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


@pytest.fixture(scope="module")
def raw(server: Server) -> Raw:
    return Raw(server)


@pytest.fixture(scope="module")
def message(server: Server, client: Client) -> Any:
    """A delivered message with two attachments."""
    with receiving() as app:

        def answer(request: Any) -> Reply:
            if request.path == "/page.csv":
                return Reply(200, PAGE, (("Content-Type", "text/csv; charset=utf-8"),))
            return Reply(200, PICTURE, (("Content-Type", "image/png"),))

        app.answer = answer
        sent = client.messages.create(
            to="+15550004001",
            from_=US,
            media_url=[f"{app.url}/a.png", f"{app.url}/page.csv"],
            status_callback=f"{app.url}/status",
        )
        app.wait(lambda r: r.path == "/status" and r.form["MessageStatus"] == "delivered")
    assert (sent.sid[:2], sent.num_media, sent.num_segments) == ("MM", "2", "1")
    return sent


def test_list_and_fetch(client: Client, message: Any) -> None:
    listed = client.messages(message.sid).media.list()
    assert [item.content_type for item in listed] == ["image/png", "text/csv"]
    assert {item.parent_sid for item in listed} == {message.sid}
    one = client.messages(message.sid).media(listed[0].sid).fetch()
    assert (one.sid, one.uri) == (listed[0].sid, f"{message.uri[:-5]}/Media/{listed[0].sid}.json")


def test_pages(client: Client, message: Any) -> None:
    first = client.messages(message.sid).media.page(page_size=1)
    second = first.next_page()
    assert [item.content_type for item in first] == ["image/png"]
    assert [item.content_type for item in second] == ["text/csv"]
    assert second.next_page() is None
    assert [item.content_type for item in second.previous_page()] == ["image/png"]


def test_by_time(client: Client, message: Any) -> None:
    media = client.messages(message.sid).media
    assert len(media.list(date_created_after=message.date_created)) == 2
    assert media.list(date_created_before=message.date_created.replace(year=2020)) == []


def test_the_octets(server: Server, client: Client, message: Any) -> None:
    picture, page = client.messages(message.sid).media.list()
    answer = ask(server, "GET", picture.uri.removesuffix(".json"))
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["ETag"] == f'"{sha256(PICTURE).hexdigest()}"'
    again = ask(server, "GET", picture.uri.removesuffix(".json"), headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    script = ask(server, "GET", page.uri.removesuffix(".json"))
    assert script.content == PAGE
    assert "sandbox" in script.headers["Content-Security-Policy"]


def test_the_octets_need_credentials(server: Server, client: Client, message: Any) -> None:
    [picture, _] = client.messages(message.sid).media.list()
    answer = ask(server, "GET", picture.uri.removesuffix(".json"), auth=None)
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)


def test_delete(server: Server, client: Client, receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(200, PICTURE, (("Content-Type", "image/png"),))
    sent = client.messages.create(
        to="+15550004002", from_=US, media_url=[f"{receiver.url}/a"], status_callback=f"{receiver.url}/status"
    )
    receiver.wait(lambda r: r.path == "/status" and r.form["MessageStatus"] == "delivered")
    [item] = client.messages(sent.sid).media.list()
    media = client.messages(sent.sid).media(item.sid)
    assert media.delete()
    assert refusal(media.fetch) == (404, 20404)
    assert refusal(media.delete) == (404, 20404)
    assert ask(server, "GET", item.uri.removesuffix(".json")).status_code == 404
    assert client.messages(sent.sid).media.list() == []


def test_inbound_media_are_named_by_absolute_urls(server: Server, client: Client, receiver: Receiver) -> None:
    [number] = client.incoming_phone_numbers.list(phone_number="+15557654321")
    number.update(sms_url=f"{receiver.url}/sms")
    receiver.answer = lambda r: Reply(200, PICTURE, (("Content-Type", "image/png"),)) if r.path == "/p" else Reply()
    sent = {"to": "+15557654321", "body": "", "media": [f"{receiver.url}/p"]}
    ask(server, "POST", "/simulator/phones/+15550004003/messages", json=sent).raise_for_status()
    [told] = receiver.wait(lambda r: r.path == "/sms")
    assert (told.form["NumMedia"], told.form["MediaContentType0"]) == ("1", "image/png")
    url = told.form["MediaUrl0"]
    assert url.startswith(server.base_url)
    assert ask(server, "GET", url.removeprefix(server.base_url)).content == PICTURE


def test_what_is_not_of_this_message(raw: Raw, client: Client, message: Any) -> None:
    other = client.messages.create(to="+15550004004", from_=US, body="x")
    [picture, _] = client.messages(message.sid).media.list()
    assert raw.outcome("GET", f"/Messages/{other.sid}/Media/{picture.sid}.json") == (404, 20404)
    assert raw.outcome("GET", f"/Messages/{message.sid}/Media.json?Nothing=1") == (400, 20001)
