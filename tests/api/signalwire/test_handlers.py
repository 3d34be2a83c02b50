"""Fabric resources: what becomes of the messages of numbers that are led to one."""

from typing import Any

import pytest

from tests.api.signalwire.client import Client
from tests.receiver import Receiver, Reply
from tests.server import Server

FABRIC = "/api/fabric/resources"
NUMBERS = "/api/relay/rest/phone_numbers"


def led(client: Client, number: str, kind: str, given: dict[str, Any]) -> tuple[str, str]:
    """Buy a number and lead it to a new resource; the ids of both."""
    bought = client.ask("POST", NUMBERS, 200, json={"number": number})["id"]
    made = client.raw("POST", f"{FABRIC}/{kind}", json=given).json()["id"]
    route = {"phone_route_id": bought, "handler": "messaging"}
    client.ask("POST", f"{FABRIC}/{made}/phone_routes", 200, json=route)
    return bought, made


def test_a_swml_webhook(client: Client, receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(200, b'{"reply":"By SWML"}', (("Content-Type", "application/json"),))
    webhook = {"used_for": "messaging", "primary_request_url": f"{receiver.url}/first"}
    number, made = led(client, "+15559620001", "swml_webhooks", webhook)
    client.phone_sends("+15559620101", "+15559620001", "Hi")
    assert receiver.wait()[0].json["message"]["body"] == "Hi"
    assert client.inbox("+15559620101", "By SWML")

    client.ask("PATCH", f"{FABRIC}/swml_webhooks/{made}", 200, json={"primary_request_url": f"{receiver.url}/second"})
    client.phone_sends("+15559620101", "+15559620001", "Hi again")
    assert receiver.wait(lambda request: request.path == "/second")[0].json["message"]["body"] == "Hi again"

    plain = {"message_handler": "laml_webhooks", "message_request_url": f"{receiver.url}/own"}
    assert client.ask("PUT", f"{NUMBERS}/{number}", 200, json=plain)["messaging_handler_resource_id"] is None
    client.phone_sends("+15559620101", "+15559620001", "And now")
    assert receiver.wait(lambda request: request.path == "/own")[0].form["Body"] == "And now"


def test_a_number_is_led_to_nothing_that_is_gone(client: Client) -> None:
    script = {"name": "menu", "script_type": "messaging", "contents": "reply: By script"}
    number, made = led(client, "+15559620008", "swml_scripts", script)
    assert client.ask("GET", f"{NUMBERS}/{number}", 200)["messaging_handler_resource_id"] == made
    assert client.raw("DELETE", f"{FABRIC}/{made}").status_code == 204
    assert client.ask("GET", f"{NUMBERS}/{number}", 200)["messaging_handler_resource_id"] is None
    unheard = client.phone_sends("+15559620108", "+15559620008", "Hi")
    assert client.ask("GET", f"/api/messaging/logs/{unheard}", 200)["error_code"] == "unrouteable_message"


def test_a_webhook_that_is_for_calls_by_now_hears_no_messages(client: Client, receiver: Receiver) -> None:
    webhook = {"used_for": "messaging", "primary_request_url": receiver.url}
    _, made = led(client, "+15559620007", "swml_webhooks", webhook)
    client.ask("PATCH", f"{FABRIC}/swml_webhooks/{made}", 200, json={"used_for": "calling"})
    unheard = client.phone_sends("+15559620107", "+15559620007", "Hi")
    assert client.ask("GET", f"/api/messaging/logs/{unheard}", 200)["error_code"] == "unrouteable_message"
    client.ask("PATCH", f"{FABRIC}/swml_webhooks/{made}", 200, json={"used_for": "messaging"})
    client.phone_sends("+15559620107", "+15559620007", "Hi again")
    assert [request.json["message"]["body"] for request in receiver.wait()] == ["Hi again"]


def test_a_cxml_webhook(client: Client, receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(
        200, b"<Response><Message>By cXML</Message></Response>", (("Content-Type", "text/xml"),)
    )
    webhook = {"used_for": "messaging", "primary_request_url": receiver.url}
    led(client, "+15559620002", "cxml_webhooks", webhook)
    client.phone_sends("+15559620102", "+15559620002", "Hi")
    assert receiver.wait()[0].form["Body"] == "Hi"
    assert client.inbox("+15559620102", "By cXML")


@pytest.mark.parametrize(
    ("number", "contents"),
    [
        ("+15559620003", {"sections": {"main": [{"reply": "You said %{message.body}"}]}}),
        ("+15559620004", "sections:\n  main:\n    - reply: You said %{message.body}\n"),
    ],
)
def test_a_swml_script(client: Client, number: str, contents: Any) -> None:
    script = {"name": "Bot", "script_type": "messaging", "contents": contents}
    _, made = led(client, number, "swml_scripts", script)
    assert client.ask("GET", f"{FABRIC}/{made}", 200)["swml_script"]["contents"] == contents
    phone = number.replace("+155596200", "+155596201")
    client.phone_sends(phone, number, "hello")
    assert client.inbox(phone, "You said hello")


def test_a_laml_application(client: Client, server: Server, receiver: Receiver) -> None:
    laml = f"/api/laml/2010-04-01/Accounts/{server.project_id}/Applications.json"
    made = client.raw("POST", laml, data={"FriendlyName": "Ours", "SmsUrl": receiver.url}).json()["sid"]
    path = f"{NUMBERS}/{client.ask('POST', NUMBERS, 200, json={'number': '+15559620006'})['id']}"
    asked = {"message_handler": "laml_application", "message_laml_application_id": made}
    told = client.ask("PUT", path, 200, json=asked)
    assert told["message_handler"] == "laml_application"
    assert told["message_laml_application_id"] == made
    client.phone_sends("+15559620106", "+15559620006", "To an application")
    assert receiver.wait()[0].form["Body"] == "To an application"
    for wrong, code in (
        ({"message_handler": "laml_application"}, "missing_required_parameter"),
        ({"message_laml_application_id": None}, "missing_required_parameter"),
        ({**asked, "message_laml_application_id": "AP" + "0" * 32}, "invalid_parameter"),
        ({**asked, "message_laml_application_id": []}, "invalid_parameter"),
        ({"message_laml_application_id": False}, "invalid_parameter"),
        ({**asked, "message_request_url": receiver.url}, "incompatible_parameters"),
        ({**asked, "message_request_url": []}, "incompatible_parameters"),
    ):
        assert [found for found, _ in client.codes("PUT", path, json=wrong)] == [code], wrong
    ended = client.ask("PUT", path, 200, json={"message_handler": None})
    assert (ended["message_handler"], ended["message_laml_application_id"]) == (None, None)
    assert client.codes("PUT", path, json={"message_laml_application_id": made})[0][0] == "incompatible_parameters"


def test_each_error(client: Client) -> None:
    script = {"name": "Bot", "script_type": "messaging"}
    for path, given, code in (
        ("swml_webhooks", {}, "missing_required_parameter"),
        ("swml_webhooks", {"primary_request_url": "x"}, "not_an_http_url"),
        ("swml_webhooks", {"primary_request_url": "https://a.example", "used_for": "fax"}, "invalid_parameter"),
        ("cxml_webhooks", {"primary_request_url": "https://a.example", "name": 1}, "not_a_string"),
        ("relay_applications", {"name": "Desk"}, "missing_required_parameter"),
        ("swml_scripts", script, "missing_required_parameter"),
        ("swml_scripts", {**script, "contents": ""}, "missing_required_parameter"),
        ("swml_scripts", {**script, "contents": 5}, "invalid_parameter"),
        ("swml_scripts", {**script, "contents": ["x"], "script_type": "calling"}, "invalid_parameter"),
        ("swml_scripts", {**script, "contents": False}, "invalid_parameter"),
        ("swml_scripts", {**script, "contents": "x" * 262145, "script_type": "calling"}, "invalid_parameter"),
        ("swml_scripts", {**script, "contents": {"reply": "x" * 65536}}, "swml_invalid_document"),
        ("swml_scripts", {**script, "contents": {"sections": {}}}, "swml_missing_entry_point"),
        ("swml_scripts", {**script, "contents": {"sections": {"main": [{"play": "x"}]}}}, "swml_unsupported_method"),
    ):
        assert [found for found, _ in client.codes("POST", f"{FABRIC}/{path}", json=given)] == [code], given


def test_what_cannot_be_led_there(client: Client) -> None:
    number = client.ask("POST", NUMBERS, 200, json={"number": "+15559620005"})["id"]
    for_calls = {"primary_request_url": "https://app.example"}
    made = client.ask("POST", f"{FABRIC}/swml_webhooks", 201, json=for_calls)["id"]
    path = f"{FABRIC}/{made}/phone_routes"
    asked = {"phone_route_id": number, "handler": "messaging"}
    assert client.codes("POST", path, json=asked) == [("incompatible_parameters", "handler")]
    without = {"phone_route_id": number}
    for more, code in (
        ({"handler": "calling"}, "feature_not_available"),
        ({}, "feature_not_available"),
        ({"handler": "fax"}, "invalid_parameter"),
    ):
        assert client.codes("POST", path, json={**without, **more}) == [(code, "handler")]
    client.ask("GET", f"{FABRIC}/relay_applications/{made}", 404)
    assert client.ask("GET", f"{NUMBERS}/{number}", 200)["messaging_handler_resource_id"] is None
