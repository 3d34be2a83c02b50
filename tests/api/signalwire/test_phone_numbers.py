"""Phone numbers: what is answered of them, and how their message handlers are set."""

from typing import Any

import pytest
from msgspec.structs import replace

from parley.api.signalwire.number_update import read_update
from parley.api.signalwire.phone_numbers import handler, number_body
from parley.api.signalwire.problems import Invalid
from parley.model.number import Number
from parley.webhooks.guard import Guard
from tests.api.signalwire.client import Client
from tests.api.signalwire.values import NUMBER
from tests.server import Server

PATH = "/api/relay/rest/phone_numbers"
HOOK = "https://app.example/in"
GUARD = Guard()
FIELDS = [
    "id",
    "number",
    "name",
    "capabilities",
    "number_type",
    "e911_address_id",
    "e911_status",
    "created_at",
    "updated_at",
    "next_billed_at",
    "call_handler",
    "calling_handler_resource_id",
    "call_receive_mode",
    "call_request_url",
    "call_request_method",
    "call_fallback_url",
    "call_fallback_method",
    "call_status_callback_url",
    "call_status_callback_method",
    "call_laml_application_id",
    "call_dialogflow_agent_id",
    "call_relay_topic",
    "call_relay_topic_status_callback_url",
    "call_relay_script_url",
    "call_relay_context",
    "call_relay_context_status_callback_url",
    "call_relay_application",
    "call_relay_connector_id",
    "call_sip_endpoint_id",
    "call_verto_resource",
    "call_video_room_id",
    "message_handler",
    "messaging_handler_resource_id",
    "message_request_url",
    "message_request_method",
    "message_fallback_url",
    "message_fallback_method",
    "message_laml_application_id",
    "message_relay_topic",
    "message_relay_context",
    "country_code",
]
"""Source: retrieve-phone-number page, schema PhoneNumberResponse."""


def own(client: Client, number: str) -> str:
    """Own a number by using it, and return its id."""
    client.send(**{"from": number, "to": "+15559200000"})
    (found,) = client.ask("GET", PATH, 200, params={"filter_number": number})["data"]
    id: str = found["id"]
    return id


def test_every_field_is_answered() -> None:
    body = number_body(NUMBER)
    assert sorted(body) == sorted(FIELDS)
    assert (body["capabilities"], body["number_type"], body["country_code"]) == (["sms", "mms"], "longcode", "US")
    assert number_body(replace(NUMBER, address="+18005551234"))["number_type"] == "toll-free"


def test_list_and_fetch(client: Client) -> None:
    page = client.ask("GET", PATH, 200)
    assert {number["number"] for number in page["data"]} >= {"+15551234567", "+15557654321"}
    for number in page["data"]:
        assert client.ask("GET", f"{PATH}/{number['id']}", 200) == number
    first = client.ask("GET", f"{PATH}?page_size=1", 200)
    second = client.ask("GET", first["links"]["next"], 200)
    assert second["data"][0] == page["data"][1]
    assert client.ask("GET", second["links"]["prev"], 200)["data"] == first["data"]
    assert client.ask("GET", PATH, 200, params={"filter_number": "7654"})["data"][0]["number"] == "+15557654321"
    assert client.ask("GET", PATH, 200, params={"filter_name": "nobody%"})["data"] == []


def test_the_guides_webhook(client: Client) -> None:
    """A bare URL, by either name, means SignalWire's JSON."""
    id = own(client, "+15559200001")
    changed = client.ask("PUT", f"{PATH}/{id}", 200, json={"message_request_url": HOOK})
    assert (changed["message_handler"], changed["message_request_url"], changed["message_request_method"]) == (
        "json_webhook",
        HOOK,
        "POST",
    )
    assert client.ask("GET", f"{PATH}/{id}", 200) == changed

    id = own(client, "+15559200002")
    sid = "PN" + id.replace("-", "")
    given = {"number_sid": sid, "sms_url": HOOK, "sms_method": "get", "name": "Support"}
    changed = client.ask("PUT", f"{PATH}/{sid}", 200, json=given)
    assert (changed["message_handler"], changed["message_request_url"], changed["message_request_method"]) == (
        "json_webhook",
        HOOK,
        "GET",
    )
    assert client.ask("GET", PATH, 200, params={"filter_name": "UPPO"})["data"] == [changed]


def test_handlers_give_a_number_its_ways() -> None:
    laml = read_update(NUMBER, {"message_handler": "laml_webhooks", "message_request_url": HOOK}, GUARD)
    assert (laml.dialect, laml.handler) == ("twilio", "laml_webhooks")
    moved = read_update(laml, {"message_request_url": f"{HOOK}/2"}, GUARD)
    assert (moved.dialect, moved.handler, moved.request_url) == ("twilio", "laml_webhooks", f"{HOOK}/2")
    ours = read_update(moved, {"message_handler": "json_webhook", "message_fallback_url": HOOK}, GUARD)
    assert (ours.dialect, ours.handler, ours.request_url, ours.fallback_url) == (
        "signalwire",
        "json_webhook",
        f"{HOOK}/2",
        HOOK,
    )
    off = read_update(ours, {"message_handler": None}, GUARD)
    assert (off.handler, off.request_url, off.fallback_url) == (None, None, None)
    no_fallback = read_update(ours, {"message_fallback_url": ""}, GUARD)
    assert (no_fallback.handler, no_fallback.fallback_url) == ("json_webhook", None)


def test_a_context_of_relay_is_a_handler() -> None:
    office = read_update(NUMBER, {"message_relay_context": "office"}, GUARD)
    assert (office.dialect, office.handler, office.relay_context) == ("signalwire", "relay_context", "office")
    assert number_body(office)["message_relay_context"] == "office"
    topic = read_update(office, {"message_handler": "relay_topic", "message_relay_topic": "sales"}, GUARD)
    assert (topic.handler, topic.relay_context) == ("relay_topic", "sales")
    assert (number_body(topic)["message_relay_context"], number_body(topic)["message_relay_topic"]) == (None, "sales")
    assert read_update(topic, {"name": "Sales"}, GUARD).relay_context == "sales"
    hooked = read_update(topic, {"message_handler": "json_webhook", "message_request_url": HOOK}, GUARD)
    assert (hooked.handler, hooked.relay_context, hooked.request_url) == ("json_webhook", None, HOOK)
    with pytest.raises(Invalid, match="needs a message_handler"):
        read_update(topic, {"message_request_url": HOOK}, GUARD)
    app = {"message_handler": "relay_application", "message_relay_application": "bot"}
    assert read_update(hooked, app, GUARD).request_url is None


def test_a_webhook_that_is_taken_away_leaves_no_handler() -> None:
    """Or the message of a number whose handler has nobody to ask would be received, and no app told of it."""
    for given in ({"message_request_url": HOOK}, {"message_handler": "laml_webhooks", "message_request_url": HOOK}):
        hooked = read_update(NUMBER, given, GUARD)
        for nothing in (None, ""):
            off = read_update(hooked, {"message_request_url": nothing}, GUARD)
            assert (off.handler, off.request_url) == (None, None)


RELAYED = read_update(NUMBER, {"message_relay_context": "office"}, GUARD)
LED = replace(NUMBER, handler="laml_webhooks", dialect="twilio", application_id=b"a" * 16)


@pytest.mark.parametrize(
    ("number", "given", "code"),
    [
        (RELAYED, {"message_relay_context": None}, "missing_required_parameter"),
        (RELAYED, {"message_fallback_url": HOOK}, "incompatible_parameters"),
        (LED, {"message_fallback_url": HOOK}, "incompatible_parameters"),
    ],
)
def test_what_a_handler_has_no_use_for_is_not_ignored(number: Number, given: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_update(number, given, GUARD)
    assert [problem.code for problem in refused.value.problems] == [code]


def test_an_application_is_changed_for_another(client: Client, server: Server) -> None:
    laml = f"/api/laml/2010-04-01/Accounts/{server.project_id}/Applications.json"
    first, second = (client.raw("POST", laml, data={"FriendlyName": name}).json()["sid"] for name in ("A", "B"))
    path = f"{PATH}/{own(client, '+15559200006')}"
    given = {"message_handler": "laml_application", "message_laml_application_id": first}
    assert client.ask("PUT", path, 200, json=given)["message_laml_application_id"] == first
    [error] = client.ask("PUT", path, 422, json={"message_laml_application_id": None})["errors"]
    assert error["code"] == "missing_required_parameter"
    led = client.ask("PUT", path, 200, json={"message_laml_application_id": second})
    assert (led["message_handler"], led["message_laml_application_id"]) == ("laml_application", second)
    own_webhook = {"message_laml_application_id": None, "message_request_url": HOOK}
    hooked = client.ask("PUT", path, 200, json=own_webhook)
    assert (hooked["message_handler"], hooked["message_laml_application_id"]) == ("laml_webhooks", None)


def test_what_twilios_api_set_is_shown_as_it_is() -> None:
    assert read_update(NUMBER, {}, GUARD) == NUMBER
    assert handler(NUMBER) is None
    assert handler(replace(NUMBER, request_url=HOOK)) == "laml_webhooks"
    assert handler(replace(NUMBER, request_url=HOOK, dialect="signalwire")) == "json_webhook"


def test_call_settings_are_kept_and_another_apis_stay() -> None:
    number = replace(NUMBER, extras='{"voice_url":"https://x.example"}')
    given = {"call_handler": "laml_webhooks", "call_request_url": HOOK, "call_request_method": "get"}
    changed = read_update(number, given, GUARD)
    assert changed.extras is not None
    assert "voice_url" in changed.extras
    body = number_body(changed)
    assert (body["call_handler"], body["call_request_url"], body["call_request_method"]) == (
        "laml_webhooks",
        HOOK,
        "GET",
    )
    assert read_update(changed, dict.fromkeys(given), GUARD).extras == number.extras


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"message_handler": "relay_topic"}, "missing_required_parameter"),
        ({"message_handler": "relay_context", "message_relay_context": ""}, "missing_required_parameter"),
        ({"message_handler": "relay_application", "message_relay_application": 5}, "not_a_string"),
        ({"message_relay_context": "a", "message_relay_topic": "b"}, "incompatible_parameters"),
        ({"message_relay_context": "a", "message_fallback_url": HOOK}, "incompatible_parameters"),
        ({"message_handler": None, "message_relay_topic": "x"}, "incompatible_parameters"),
        ({"message_handler": "laml_script"}, "invalid_parameter"),
        ({"message_handler": "carrier_pigeon"}, "invalid_parameter"),
        ({"message_handler": 5}, "not_a_string"),
        ({"message_handler": ["laml_webhooks"]}, "not_a_string"),
        ({"message_handler": {"a": 1}, "message_relay_topic": "x"}, "not_a_string"),
        ({"message_handler": None, "message_fallback_url": HOOK}, "incompatible_parameters"),
        ({"message_handler": "json_webhook"}, "missing_required_parameter"),
        ({"message_handler": "laml_webhooks", "message_request_url": ""}, "missing_required_parameter"),
        ({"message_handler": None, "message_request_url": HOOK}, "incompatible_parameters"),
        ({"message_request_url": "app.example"}, "not_an_http_url"),
        ({"message_request_url": "http://10.0.0.1/"}, "url_is_unsafe"),
        ({"message_request_url": ["x"]}, "not_a_string"),
        ({"sms_url": HOOK, "message_request_url": HOOK}, "incompatible_parameters"),
        ({"message_request_method": "PUT"}, "invalid_parameter"),
        ({"message_relay_topic": "x" * 256}, "invalid_parameter"),
        ({"messaging_campaign_id": "x"}, "invalid_parameter"),
        ({"number_sid": "PN" + "0" * 32}, "incompatible_parameters"),
        ({"name": "x" * 256}, "invalid_parameter"),
        ({"name": 5}, "not_a_string"),
        ({"call_handler": "x"}, "invalid_parameter"),
        ({"call_video_room_id": "x"}, "invalid_parameter"),
        ({"call_relay_topic": "x" * 2049}, "invalid_parameter"),
        ({"number": "+15550000000"}, "invalid_parameter"),
        ({"number_method": 5}, "invalid_parameter"),
    ],
)
def test_each_error(given: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_update(NUMBER, given, GUARD)
    assert [problem.code for problem in refused.value.problems] == [code]


@pytest.mark.parametrize("names", [("sms_url", "message_request_url"), ("message_request_url", "sms_url")])
def test_both_names_of_one_parameter_are_told(names: tuple[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        read_update(NUMBER, dict.fromkeys(names, HOOK), GUARD)
    [problem] = refused.value.problems
    assert problem.message.startswith("sms_url and message_request_url are two names")


@pytest.mark.parametrize("campaign", [[], {}, False, 0])
def test_what_names_no_campaign_takes_no_number_out_of_its_own(client: Client, campaign: object) -> None:
    id = own(client, "+15559200007")
    given = {"messaging_campaign_id": campaign}
    assert client.codes("PUT", f"{PATH}/{id}", json=given)[0][0] == "invalid_parameter"


def test_errors_have_the_shape_of_relay_rest(client: Client) -> None:
    id = own(client, "+15559200003")
    given = {"message_handler": "relay_topic", "nonsense": 1, "messaging_campaign_id": "none"}
    errors = client.ask("PUT", f"{PATH}/{id}", 422, json=given)["errors"]
    assert sorted(error["detail"].split()[0] for error in errors) == [
        "message_relay_topic",
        "messaging_campaign_id",
        "nonsense",
    ]
    assert all(set(error) == {"detail", "status", "title", "code"} for error in errors)
    assert all(error["status"] == "422" for error in errors)
    assert client.ask("GET", f"{PATH}/{id}", 200)["message_handler"] is None


def test_what_is_not_there(client: Client, server: Server) -> None:
    for id in ("00000000-0000-7000-8000-000000000000", "x", "PN" + "0" * 32):
        assert client.ask("GET", f"{PATH}/{id}", 404) == {"error": "Not Found"}
        assert client.ask("PUT", f"{PATH}/{id}", 404, json={}) == {"error": "Not Found"}
    assert client.ask("DELETE", PATH, 405) == {"error": "Method Not Allowed"}
    assert client.ask("GET", f"{PATH}?filter_city=x", 422)["errors"][0]["code"] == "invalid_parameter"
    id = own(client, "+15559200004")
    for body, status in ((b"{", 400), (b"[]", 400), (b'{"name":"a","name":"b"}', 400), (b'{"name":"\\ud800"}', 400)):
        client.ask("PUT", f"{PATH}/{id}", status, data=body, headers={"Content-Type": "application/json"})


def test_filters_on_either_engine(fresh_server: Server) -> None:
    client = Client(fresh_server)
    id = own(client, "+15559200005")
    client.ask("PUT", f"{PATH}/{id}", 200, json={"name": "100% Süd_Ost"})
    # The case of what is not ASCII is folded by PostgreSQL only.
    for name, count in (("% s", 1), ("süd_o", 1), ("D_O", 1), ("x_O", 0), ("1%S", 0), ("", 3)):
        assert len(client.ask("GET", PATH, 200, params={"filter_name": name})["data"]) == count, name
    assert len(client.ask("GET", PATH, 200, params={"filter_number": "_"})["data"]) == 0


@pytest.mark.parametrize("handler", ["relay_topic", "relay_application"])
def test_a_short_code_has_one_handler_of_relays(client: Client, handler: str) -> None:
    client.send(**{"from": "54321", "to": "+15559330001"})
    codes = "/api/relay/rest/short_codes"
    [code] = client.ask("GET", codes, 200, params={"filter_number": "54321"})["data"]
    given = {"name": "Ours", "message_handler": handler, f"message_{handler}": "office"}
    errors = client.ask("PUT", f"{codes}/{code['id']}", 422, json=given)["errors"]
    assert [(each["code"], "relay_context" in each["detail"]) for each in errors] == [("invalid_parameter", True)]
