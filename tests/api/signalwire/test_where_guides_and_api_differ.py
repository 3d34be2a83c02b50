"""Where SignalWire's messaging guides and its API disagree, a test for each place: apps of either kind are served."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest

from parley.api.signalwire.callbacks import MiddleState
from tests.api.signalwire.asked import GUIDE_BRAND, GUIDE_CAMPAIGN
from tests.api.signalwire.client import Client
from tests.api.signalwire.relay.client import signalwire
from tests.clock import ManualClock
from tests.receiver import Received, Receiver, Reply
from tests.server import Server, serve

MESSAGES: Final = "/api/messaging/messages"
NUMBERS: Final = "/api/relay/rest/phone_numbers"
PDF: Final = Reply(200, b"%PDF-1.4", (("Content-Type", "application/pdf"),))
_numbers: Final = iter(range(15552200000, 15552299999))


def fresh() -> str:
    return f"+{next(_numbers)}"


def at(path: str) -> Any:
    return lambda request: request.path == path


def number_path(client: Client, number: str) -> str:
    """Own a number by using it; where it is configured."""
    client.send(**{"from": number, "to": fresh()})
    (found,) = client.ask("GET", NUMBERS, 200, params={"filter_number": number})["data"]
    return f"{NUMBERS}/{found['id']}"


def hook(client: Client, number: str, **given: Any) -> None:
    client.ask("PUT", number_path(client, number), 200, json=given)


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server as strict as the API: carriers' limits of media, and the guides' word for the middle state."""
    url = f"sqlite:///{tmp_path_factory.mktemp('strict')}/parley.db"
    settings: dict[str, Any] = {"media_limits": "carrier", "middle_state": "sending", "callback_attempts": 2}
    with serve(url, campaign_registration=False, **settings) as server:
        yield server


def test_01_media_has_two_names(client: Client, receiver: Receiver) -> None:
    receiver.answer = lambda _: PDF
    phone = fresh()
    sent = client.send(to=phone, media_urls=[f"{receiver.url}/a.pdf"])
    assert sent["kind"] == "mms"
    (arrived,) = client.inbox(phone)
    assert [each["content_type"] for each in arrived["media"]] == ["application/pdf"]
    both = {"to": phone, "from": "+15551234567", "media": [receiver.url], "media_urls": [receiver.url]}
    assert client.codes("POST", MESSAGES, json=both) == [("incompatible_parameters", "media_urls")]


@pytest.mark.parametrize(
    ("answer", "replies"),
    [
        (b'{"status":"received"}', []),
        (b"", []),
        (b"OK", []),
        (b'{"reply":"By SWML"}', ["By SWML"]),
        (b"sections: {main: [reply: By YAML]}", ["By YAML"]),
    ],
)
def test_02_an_inbound_webhook_is_flat_and_swml(
    client: Client, receiver: Receiver, answer: bytes, replies: list[str]
) -> None:
    number, phone = fresh(), fresh()
    receiver.answer = lambda _: Reply(200, answer)
    hook(client, number, message_request_url=receiver.url)
    picture = {"content_type": "image/gif", "data": "R0lGODlhAQABAAAAACwAAAAAAQABAAA="}
    id = client.phone_sends(phone, number, media=[picture])
    told = receiver.wait()[0].json
    assert (told["message_id"], told["from"], told["to"]) == (id, phone, number)
    assert told["body"].strip() == "", "the guides' handlers strip it"
    assert told["message"]["body"] is None, "as the API has it"
    assert told["media"] == [each["url"] for each in told["message"]["media"]]
    assert told["params"] == {}
    if replies:
        assert [each["body"] for each in client.inbox(phone)] == replies
    assert client.ask("GET", f"/api/messaging/logs/{id}", 200)["error_code"] is None


def test_03_a_status_webhook_has_both_names_of_the_id(client: Client, receiver: Receiver) -> None:
    sent = client.send(to=fresh(), status_callback=receiver.url)
    told = receiver.wait()[0].json
    assert told["id"] == told["message_id"] == sent["id"]
    assert told["project_id"] == sent["project_id"]
    assert told["timestamp"].endswith("Z")


def test_04_ids_are_uuids_and_the_same_everywhere(client: Client, receiver: Receiver) -> None:
    sent = client.send(to=fresh(), status_callback=receiver.url)
    assert str(UUID(sent["id"])) == sent["id"]
    assert {each.json["message_id"] for each in receiver.wait(count=4)} == {sent["id"]}


def told(receiver: Receiver, last: str = "delivered") -> list[str]:
    receiver.wait(lambda request: request.json["status"] == last)
    return [request.json["status"] for request in receiver.requests]


def test_05_the_middle_state_is_initiated(client: Client, receiver: Receiver) -> None:
    client.send(to=fresh(), status_callback=receiver.url)
    assert told(receiver) == ["queued", "initiated", "sent", "delivered"]


def test_05_or_the_guides_sending(strict: Server, receiver: Receiver) -> None:
    Client(strict).send(to=fresh(), status_callback=receiver.url)
    assert told(receiver) == ["queued", "sending", "sent", "delivered"]


def test_05_or_left_out(tmp_path: Path, receiver: Receiver) -> None:
    middle: MiddleState = "none"
    with serve(f"sqlite:///{tmp_path}/parley.db", middle_state=middle) as server:
        Client(server).send(to=fresh(), status_callback=receiver.url)
        assert told(receiver) == ["queued", "sent", "delivered"]


def test_05_a_handler_that_does_not_know_a_state_is_told_of_the_next(client: Client, receiver: Receiver) -> None:
    """The guides' own tracker fails on `initiated`, with a 500."""
    receiver.answer = lambda request: Reply(500 if request.json["status"] == "initiated" else 200)
    client.send(to=fresh(), status_callback=receiver.url)
    assert told(receiver) == ["queued", *["initiated"] * 3, "sent", "delivered"]


def test_06_the_first_callback_follows_the_answer(tmp_path: Path, receiver: Receiver) -> None:
    """A tracker that compares ids knows the message by then. The server's clock stands still until it is turned."""
    clock = ManualClock()
    with serve(f"sqlite:///{tmp_path}/parley.db", clock) as server:
        sent = Client(server).send(to=fresh(), status_callback=receiver.url)
        server.look()
        Client(server).send(to=fresh())
        assert not receiver.requests
        clock.advance(0.1)
        server.look()
        assert receiver.wait()[0].json["message_id"] == sent["id"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"to": "12"}, "invalid_to_number"),
        ({"from": "hello"}, "invalid_from_number"),
        ({"body": "x" * 1601}, "character_limit_exceeded"),
        ({"body": ""}, "body_or_media_required"),
    ],
)
def test_07_what_is_refused_is_422_with_a_code(client: Client, given: dict[str, str], code: str) -> None:
    asked = {"to": fresh(), "from": "+15551234567", "body": "x", **given}
    errors = client.ask("POST", MESSAGES, 422, json=asked)["errors"]
    assert [error["code"] for error in errors] == [code]
    assert errors[0].keys() == {"type", "code", "message", "attribute", "url"}


def test_08_the_registry_has_two_spellings_of_one_record(client: Client) -> None:
    brand = client.ask("POST", "/api/messaging/brands", 201, json=GUIDE_BRAND)
    given = {**GUIDE_CAMPAIGN, "brand_id": brand["id"]}
    campaign = client.ask("POST", "/api/messaging/campaigns", 201, json=given)
    for made in (brand, campaign):
        assert {"id", "state", "status"} <= made.keys()
    beta = "/api/relay/rest/registry/beta"
    shown = client.ask("GET", f"{beta}/brands/{brand['id']}", 200)
    assert (shown["company_name"], shown["contact_email"], shown["contact_phone"], shown["legal_entity_type"]) == (
        GUIDE_BRAND["legal_name"],
        GUIDE_BRAND["email"],
        GUIDE_BRAND["phone"],
        "PRIVATE_PROFIT",
    )
    shown = client.ask("GET", f"{beta}/campaigns/{campaign['id']}", 200)
    assert [shown["sample1"], shown["sample2"]] == GUIDE_CAMPAIGN["sample_messages"]
    assert shown["message_flow"] == GUIDE_CAMPAIGN["opt_in_workflow"]
    assert shown["opt_out_keywords"] == "STOP,UNSUBSCRIBE"


def test_09_a_number_joins_a_campaign_by_its_own_field(client: Client) -> None:
    brand = client.ask("POST", "/api/messaging/brands", 201, json=GUIDE_BRAND)
    given = {**GUIDE_CAMPAIGN, "brand_id": brand["id"]}
    campaign = client.ask("POST", "/api/messaging/campaigns", 201, json=given)["id"]
    path = number_path(client, "+15557654321")
    changed = client.ask("PUT", path, 200, json={"messaging_campaign_id": campaign})
    assert changed["messaging_campaign_id"] == campaign
    orders = client.ask("GET", f"/api/relay/rest/registry/beta/campaigns/{campaign}/orders", 200)["data"]
    assert len(orders) == 1


def test_10_a_number_is_set_by_either_spelling(client: Client) -> None:
    path = number_path(client, fresh())
    sid = f"PN{path.rpartition('/')[2].replace('-', '')}"
    given = {"number_sid": sid, "sms_url": "https://app.example/sms", "sms_method": "get"}
    changed = client.ask("PUT", path, 200, json=given)
    assert (changed["message_request_url"], changed["message_request_method"]) == ("https://app.example/sms", "GET")
    real = {"message_request_url": "https://app.example/other", "message_request_method": "POST"}
    assert client.ask("PUT", path, 200, json=real)["message_request_url"] == "https://app.example/other"


def test_11_messages_are_listed_in_their_own_shape(client: Client) -> None:
    sent = client.send(to=fresh())
    listed = client.ask("GET", MESSAGES, 200)["data"][0]
    assert (listed["id"], listed["body"]) == (sent["id"], "Hello")
    assert listed.keys() == sent.keys()


def test_12_a_client_of_our_own_has_the_guides_interface(client: Client, server: Server, receiver: Receiver) -> None:
    """And a send by Relay takes the guides' `status_callback` (tests/realtime runs the guides' code)."""
    ours = importlib.import_module("parley.realtime")
    made = ours.Client(project=server.project_id, token=server.auth_token, contexts=["office"], host=server.base_url)
    assert {"send", "on"} <= set(dir(made.messaging))
    assert callable(made.connect)
    relay, _ = signalwire(server.base_url, server.project_id, server.auth_token, contexts=["office"])
    with relay:
        given = {"from_number": "+15551234567", "to_number": fresh(), "body": "x", "status_callback": receiver.url}
        sent = relay.result("messaging.send", given)
        assert receiver.wait()[0].json["message_id"] == sent["message_id"]


@pytest.mark.parametrize("given", [{"relay_default_context": "office"}, {}])
def test_13_a_session_without_contexts_may_have_a_default_one(tmp_path: Path, given: dict[str, Any]) -> None:
    """And it has one in the dev profile."""
    with serve(f"sqlite:///{tmp_path}/parley.db", **given) as server:
        client, number = Client(server), fresh()
        hook(client, number, message_relay_context="office")
        relay, _ = signalwire(server.base_url, server.project_id, server.auth_token, acks=False)
        with relay:
            client.phone_sends(fresh(), number, "Hi")
            assert relay.event("messaging.receive")["context"] == "office"


def ended(client: Client, receiver: Receiver, **given: Any) -> tuple[str, str | None]:
    """How a message ends, and why."""
    client.send(to=fresh(), status_callback=f"{receiver.url}/status", **given)
    over = ("delivered", "failed", "undelivered")
    last = receiver.wait(lambda request: request.path == "/status" and request.json["status"] in over)[-1].json
    return last["status"], last["error_code"]


def picture(octets: int) -> Reply:
    return Reply(200, b"x" * octets, (("Content-Type", "image/png"),))


MEDIA: Final = [
    ("lenient", PDF, "+15551234567", None),
    ("lenient", picture(4_000_000), "+15551234567", None),
    ("carrier", PDF, "+15551234567", "unsupported_media_type"),
    ("carrier", picture(1_100_000), "+15551234567", None),
    ("carrier", picture(1_300_000), "+15551234567", "media_exceeds_size_limit"),
    ("carrier", picture(800_000), "+18005550100", "media_exceeds_size_limit"),
]


@pytest.mark.parametrize(("limits", "media", "sender", "code"), MEDIA)
def test_14_media_are_held_to_the_limits_that_are_set(
    server: Server, strict: Server, receiver: Receiver, limits: str, media: Reply, sender: str, code: str | None
) -> None:
    receiver.answer = lambda request: media if request.path == "/media" else Reply()
    client = Client(strict if limits == "carrier" else server)
    found = ended(client, receiver, media=[f"{receiver.url}/media"], **{"from": sender})
    assert found == ("delivered" if code is None else "failed", code)
    nine = {"to": fresh(), "from": "+15551234567", "media": [receiver.url] * 9}
    assert client.codes("POST", MESSAGES, json=nine) == [("media_limit_exceeded", "media")]


@pytest.mark.parametrize(("is_set", "attempts"), [(False, 3), (True, 2)])
def test_15_a_callback_that_is_refused_is_tried_three_times_or_as_set(
    server: Server, strict: Server, receiver: Receiver, attempts: int, *, is_set: bool
) -> None:
    receiver.answer = lambda request: Reply(500 if request.json["status"] == "queued" else 200)
    Client(strict if is_set else server).send(to=fresh(), status_callback=receiver.url)
    assert told(receiver).count("queued") == attempts


@pytest.mark.parametrize("word", ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"])
def test_16_stop_reaches_the_app_and_the_platform_heeds_it_where_told_to(
    client: Client, receiver: Receiver, word: str
) -> None:
    number, phone = fresh(), fresh()
    hook(client, number, message_request_url=receiver.url)
    client.phone_sends(phone, number, word)
    assert receiver.wait()[0].json["body"] == word
    client.send(to=phone, **{"from": number})
    client.raw("PUT", "/admin/account", json={"opt_out_handling": "platform"}).raise_for_status()
    try:
        client.phone_sends(phone, number, word)
        asked = {"to": phone, "from": number, "body": "x"}
        assert client.codes("POST", MESSAGES, json=asked) == [("number_blacklisted", "to")]
        client.phone_sends(phone, number, "UNSTOP")
        client.send(to=phone, **{"from": number})
    finally:
        client.raw("PUT", "/admin/account", json={"opt_out_handling": "number"}).raise_for_status()


def test_17_custom_variables_come_back_and_whatsapp_is_not_offered(client: Client, receiver: Receiver) -> None:
    client.send(to=fresh(), status_callback=receiver.url, custom_variables={"order": "42"})
    assert receiver.wait()[0].json["custom_variables"] == {"order": "42"}
    asked = {"to": f"whatsapp:{fresh()}", "from": "whatsapp:+15551234567", "body": "x", "message_type": "text"}
    assert {code for code, _ in client.codes("POST", MESSAGES, json=asked)} == {"feature_not_available"}


def test_18_the_statuses_of_what_was_made(client: Client, server: Server) -> None:
    client.ask("POST", MESSAGES, 201, json={"to": fresh(), "from": "+15551234567", "body": "x"})
    laml = f"/api/laml/2010-04-01/Accounts/{server.project_id}/Messages.json"
    assert client.raw("POST", laml, data={"To": fresh(), "From": "+15551234567", "Body": "x"}).status_code == 201
    client.ask("POST", NUMBERS, 200, json={"number": fresh()})
    client.ask("POST", "/api/relay/rest/number_groups", 200, json={"name": "A group"})


def test_19_say_is_play_with_say(client: Client) -> None:
    steps = [{"say": {"text": "Hello"}}, {"play": {"url": "say:Hello"}}]
    given = {"to": "+15551234567", "swml": {"sections": {"main": steps}}}
    call = client.raw("POST", f"/simulator/phones/{fresh()}/calls", json=given).json()
    assert (call["status"], [each["method"] for each in call["transcript"]]) == ("completed", ["say", "play"])


def test_20_a_base_url_and_a_bare_host_lead_to_the_same_port(client: Client, server: Server) -> None:
    """The guides' apps name the one, scheme and all; SDKs take the other (docs/signalwire.md says which wants what)."""
    assert client.space_url.startswith("http://")
    client.ask("GET", MESSAGES, 200)
    laml = f"/2010-04-01/Accounts/{server.project_id}/Messages.json"  # where SDKs ask of the bare host
    assert client.raw("GET", laml).status_code == 200
    relay, _ = signalwire(client.space_url, server.project_id, server.auth_token, path="/")
    relay.close()


def test_21_any_sender_is_owned_on_first_use_in_dev_alone(client: Client, tmp_path: Path) -> None:
    assert client.send(**{"from": fresh(), "to": fresh()})["status"] == "queued"
    with serve(f"sqlite:///{tmp_path}/parley.db", profile="strict") as server:
        asked = {"from": "+14155550199", "to": "+14155550123", "body": "x"}
        assert Client(server).codes("POST", MESSAGES, json=asked) == [("invalid_from_number", "from")]


def fallback_of_a_webhook(client: Client, number: str, url: str) -> None:
    hook(client, number, message_request_url=f"{url}/gone", message_fallback_url=f"{url}/fallback")


def fallback_of_laml(client: Client, number: str, url: str) -> None:
    given = {"message_request_url": f"{url}/gone", "message_fallback_url": f"{url}/fallback"}
    hook(client, number, message_handler="laml_webhooks", **given)


def fallback_of_a_swml_webhook(client: Client, number: str, url: str) -> None:
    given = {
        "name": "W",
        "used_for": "messaging",
        "primary_request_url": f"{url}/gone",
        "fallback_request_url": f"{url}/fallback",
    }
    made = client.ask("POST", "/api/fabric/resources/swml_webhooks", 201, json=given)
    route = {"phone_route_id": number_path(client, number).rpartition("/")[2], "handler": "messaging"}
    client.ask("POST", f"/api/fabric/resources/{made['id']}/phone_routes", 200, json=route)


FALLBACKS: Final = [
    (fallback_of_a_webhook, b'{"reply":"Fallback"}'),
    (fallback_of_laml, b"<Response><Message>Fallback</Message></Response>"),
    (fallback_of_a_swml_webhook, b'{"reply":"Fallback"}'),
]


@pytest.mark.parametrize(("configure", "answer"), FALLBACKS)
def test_22_what_cannot_be_asked_has_a_fallback(
    client: Client, receiver: Receiver, configure: Any, answer: bytes
) -> None:
    def answered(request: Received) -> Reply:
        return Reply(200, answer, (("Content-Type", "text/xml"),)) if request.path == "/fallback" else Reply(500)

    receiver.answer = answered
    number, phone = fresh(), fresh()
    configure(client, number, receiver.url)
    client.phone_sends(phone, number, "Hi")
    assert [each["body"] for each in client.inbox(phone)] == ["Fallback"]
    assert json.dumps([request.path for request in receiver.requests]).count("/gone") >= 1
