"""SWML as apps meet it: a phone writes, the app or a stored script answers, and the record says what went wrong."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from parley.model.address import parse_sender
from parley.model.handler import MessageHandler, url_of
from tests.api.signalwire.client import Client
from tests.receiver import Received, Receiver, Reply
from tests.server import Server, serve

_numbers = iter(range(15557200000, 15557299999))


def at(path: str) -> Any:
    return lambda request: request.path == path


class World:
    """A number whose app is the receiver, and a phone of this test's own."""

    def __init__(self, server: Server, receiver: Receiver) -> None:
        self.server, self.receiver, self.client = server, receiver, Client(server)
        self.number, self.phone = f"+{next(_numbers)}", f"+{next(_numbers)}"
        self.client.send(**{"from": self.number, "to": "+15557300000"})

    def lead(self, url: str) -> None:
        """Have the number's messages go to a URL."""
        app = self.server.app
        number = self.server.run(app.numbers.sender(self.server.account_id, parse_sender(self.number), "signalwire"))
        assert number is not None
        changed = replace(number, handler="json_webhook", request_url=url)
        self.server.run(app.numbers.change(number, changed))

    def text(self, body: str = "hi") -> str:
        """Write from the phone; the message's id."""
        return self.client.phone_sends(self.phone, self.number, body)

    def asked(self, document: Any, body: str = "hi", **replies: Reply) -> str:
        """Write to an app that answers so, at `/in` and elsewhere."""
        first = document if isinstance(document, Reply) else Reply(200, json.dumps(document).encode())
        self.receiver.answer = lambda request: {"in": first, **replies}.get(request.path[1:], Reply(404))
        self.lead(f"{self.receiver.url}/in")
        return self.text(body)

    def error(self, id: str) -> tuple[str | None, str | None]:
        """What the log says of a message, once its webhook is over."""
        callbacks = f"/admin/messages/{id}"
        while self.client.raw("GET", callbacks).json()["callbacks"][0]["state"] == "pending":
            self.server.run(self.server.app.engine.wait_for_change(0.02))
        log = self.client.ask("GET", f"/api/messaging/logs/{id}", 200)
        return log["error_code"], log["error_message"]


@pytest.fixture
def world(server: Server, receiver: Receiver) -> World:
    """Return a number, its app and a phone."""
    return World(server, receiver)


def main(*steps: Any, **sections: Any) -> dict[str, Any]:
    return {"sections": {"main": list(steps), **sections}}


def check_signature(world: World, request: Received) -> None:
    key = world.client.raw("GET", "/admin/account").json()["signing_key"].encode()
    signed = request.url.encode() + request.body
    assert request.headers["x-signalwire-signature"] == hmac.new(key, signed, hashlib.sha1).hexdigest()


def test_a_menu_in_yaml(world: World) -> None:
    text = b"""
version: 1.0.0
sections:
  main:
    - switch:
        variable: message.body
        transform: lowercase_trim
        case:
          yes:
            - reply: You said yes, %{message.from}.
        default:
          - reply: What?
"""
    world.asked(Reply(200, text, (("Content-Type", "application/yaml"),)), " YES ")
    assert [m["body"] for m in world.client.inbox(world.phone)] == [f"You said yes, {world.phone}."]


def test_a_document_knows_its_message(world: World) -> None:
    names = ("message_id", "project_id", "direction", "type", "from", "to", "body", "segments", "timestamp")
    id = world.asked({"reply": "|".join(f"%{{message.{name}}}" for name in names)}, "Hello")
    known = world.receiver.wait(at("/in"))[0].json["message"]
    assert (known["message_id"], known["body"], known["from"]) == (id, "Hello", world.phone)
    assert [m["body"] for m in world.client.inbox(world.phone)] == ["|".join(str(known[name]) for name in names)]


def test_request_and_transfer_reach_the_app_signed(world: World) -> None:
    url = world.receiver.url
    document = main(
        {"request": {"url": f"{url}/look?up=1", "body": {"who": "%{message.from}"}, "save_variables": True}},
        {"transfer": {"dest": f"{url}/next", "params": {"name": "%{request_response.name}"}}},
    )
    looked = Reply(200, b'{"name":"Ada"}')
    then = Reply(200, b"reply: 'Hello %{params.name}, %{request_response_code}'")
    world.asked(document, look=looked, next=then)
    assert [m["body"] for m in world.client.inbox(world.phone)] == ["Hello Ada, 200"]
    (look,) = world.receiver.wait(at("/look"))
    assert look.json == {"who": world.phone}
    check_signature(world, look)
    (next_,) = world.receiver.wait(at("/next"))
    assert (next_.json["params"], next_.json["message"]["from"]) == ({"name": "Ada"}, world.phone)
    check_signature(world, next_)


def test_a_request_to_where_nobody_may_ask_fails_softly(world: World) -> None:
    world.asked(main({"request": {"url": "http://169.254.169.254/latest"}}, {"reply": "%{request_result}"}))
    assert [m["body"] for m in world.client.inbox(world.phone)] == ["failed"]
    assert not world.receiver.requests[1:]


FAULTS: list[tuple[Any, str]] = [
    (Reply(200, b"<Response/>"), "json_or_yaml_required"),
    (Reply(200, b"{", (("Content-Type", "application/json"),)), "swml_invalid_document"),
    (main(switch={}) | {"reply": "x"}, "swml_invalid_document"),
    ({"sections": {}}, "swml_missing_entry_point"),
    ({"sections": {"main": 5}}, "swml_invalid_section_format"),
    (main({"play": {}}), "swml_unsupported_method"),
    ({"reply": {}}, "swml_reply_body_or_media_required"),
    ({"reply": "%{vars.nothing}"}, "swml_reply_body_or_media_required"),
    ({"reply": {"media": ["https://a.example/x"] * 9}}, "swml_reply_media_limit_exceeded"),
    ({"reply": "x" * 1601}, "swml_reply_character_limit_exceeded"),
    ({"reply": {"body": "x", "to": "nobody"}}, "swml_reply_invalid_to_number"),
    ({"reply": {"body": "x", "from": "!"}}, "swml_reply_invalid_from_number"),
    (main({"switch": {"variable": "message.body", "case": {}}}), "swml_switch_no_match"),
    (main({"switch": {"variable": "x", "transform": "y", "case": {}}}), "swml_switch_invalid_transform"),
    (main({"execute": "nowhere"}), "swml_section_not_found"),
    (main({"goto": "nowhere"}), "swml_goto_label_not_found"),
    (main({"request": {}}), "swml_request_url_required"),
    (main({"transfer": {"dest": "%{vars.nothing}"}}), "swml_transfer_failed"),
    (main({"transfer": "nowhere"}), "swml_section_not_found"),
    (main({"transfer": "http://169.254.169.254/"}), "swml_transfer_fetch_failed"),
    (main(*[{"reply": "x"}] * 11), "swml_reply_failed"),
    (Reply(500), "http_retrieval_error"),
]


@pytest.mark.parametrize(("document", "word"), FAULTS, ids=[word for _, word in FAULTS])
def test_the_message_says_what_went_wrong(world: World, document: Any, word: str) -> None:
    id = world.asked(document)
    code, text = world.error(id)
    assert code == word
    assert text
    for path in ("logs", "messages"):
        assert world.client.ask("GET", f"/api/messaging/{path}/{id}", 200)["status"] == "failed"


def test_a_url_that_nobody_may_ask(world: World) -> None:
    world.lead("http://10.0.0.1/in")
    assert world.error(world.text())[0] == "url_failed_to_parse"


def test_a_reply_to_who_has_opted_out(world: World) -> None:
    """Of a number of Twilio's ways, which the phone wrote STOP to."""
    world.client.phone_sends(world.phone, "+15557654321", "STOP")
    id = world.asked({"reply": {"body": "x", "from": "+15557654321"}})
    assert world.error(id)[0] == "number_blacklisted"


def test_a_transfer_to_what_is_no_document(world: World) -> None:
    id = world.asked(main({"transfer": f"{world.receiver.url}/next"}), next=Reply(200, b"OK"))
    assert world.error(id)[0] == "swml_transfer_document_invalid"


def test_a_number_that_cannot_send_media(world: World) -> None:
    world.lead(f"{world.receiver.url}/in")
    app = world.server.app
    number = world.server.run(app.numbers.by_address(world.number))
    assert number is not None
    world.server.run(app.numbers.change(number, replace(number, can_mms=0)))
    media = {"reply": {"media": [f"{world.receiver.url}/x.png"]}}
    steps = main(media, {"reply": "%{reply_result}"})
    world.receiver.answer = lambda request: Reply(200, json.dumps(steps).encode())
    id = world.text()
    assert [m["body"] for m in world.client.inbox(world.phone)] == ["failed"]
    assert world.error(id)[0] == "swml_reply_missing_messaging_capability"


def test_a_stored_script_answers(world: World) -> None:
    script = MessageHandler(
        "swml_script",
        "menu",
        "messaging",
        contents="sections:\n  main:\n    - reply: From the script, %{message.body}\n",
    )
    kept = world.server.run(world.server.app.handlers.add(world.server.account_id, script))
    world.lead(url_of(kept.id))
    id = world.text("hello")
    assert [m["body"] for m in world.client.inbox(world.phone)] == ["From the script, hello"]
    assert world.error(id) == (None, None)
    world.server.run(world.server.app.handlers.drop(world.server.account_id, kept.id))
    gone = world.text("again")
    assert world.error(gone)[0] == "http_retrieval_error"


def test_a_number_without_a_campaign(tmp_path: Path, receiver: Receiver) -> None:
    with serve(f"sqlite:///{tmp_path}/parley.db", campaign_registration=True) as server:
        world = World(server, receiver)
        id = world.asked(main({"reply": {"body": "a", "to": "+14155550123"}}))
        assert world.error(id)[0] == "swml_reply_inactive_campaign"
