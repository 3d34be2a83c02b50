"""Numbers and the account, through the official client."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from twilio.rest import Client

from tests.api.twilio.client import Raw, ask, client_of, refusal
from tests.receiver import Receiver
from tests.server import Server

SEED = "+15551234567"


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


@pytest.fixture(scope="module")
def raw(server: Server) -> Raw:
    return Raw(server)


def test_buy_configure_fetch_release(client: Client) -> None:
    bought = client.incoming_phone_numbers.create(
        phone_number="+14155550111",
        sms_url="https://example.com/sms#rc=2",
        sms_method="GET",
        sms_fallback_url="https://example.com/fallback",
        status_callback="https://example.com/status",
        voice_url="https://example.com/voice",
        voice_caller_id_lookup=True,
        address_sid="AD" + "1" * 32,
    )
    assert (bought.phone_number, bought.friendly_name) == ("+14155550111", "(415) 555-0111")
    assert (bought.sms_url, bought.sms_method) == ("https://example.com/sms#rc=2", "GET")
    assert (bought.sms_fallback_url, bought.sms_fallback_method) == ("https://example.com/fallback", "POST")
    assert (bought.voice_url, bought.voice_caller_id_lookup) == ("https://example.com/voice", True)
    assert bought.address_sid == "AD" + "1" * 32
    assert bought.capabilities["sms"]
    number = client.incoming_phone_numbers(bought.sid)
    changed = number.update(friendly_name="Support", sms_fallback_url="", voice_url="")
    assert (changed.friendly_name, changed.sms_fallback_url, changed.voice_url) == ("Support", "", "")
    assert changed.sms_url == "https://example.com/sms#rc=2"
    assert changed.voice_caller_id_lookup is True
    assert number.fetch().friendly_name == "Support"
    assert number.delete()
    assert refusal(number.fetch) == (404, 20404)
    assert refusal(number.delete) == (404, 20404)


def test_a_number_that_is_owned_already_is_configured_again(client: Client) -> None:
    [seed] = client.incoming_phone_numbers.list(phone_number=SEED)
    bought = client.incoming_phone_numbers.create(phone_number=SEED, friendly_name="Seed")
    assert (bought.sid, bought.friendly_name) == (seed.sid, "Seed")
    client.incoming_phone_numbers(seed.sid).update(friendly_name="")
    assert client.incoming_phone_numbers(seed.sid).fetch().friendly_name == "(555) 123-4567"


def test_buy_in_an_area(client: Client) -> None:
    bought = client.incoming_phone_numbers.create(area_code="510", sms_url="https://example.com/sms")
    assert bought.phone_number.startswith("+1510")
    assert len(bought.phone_number) == 12
    assert bought.sms_url == "https://example.com/sms"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, 21421),
        ({"PhoneNumber": "nonsense"}, 21421),
        ({"PhoneNumber": "12345"}, 21421),
        ({"PhoneNumber": "+1234567890"}, 21421),
        ({"PhoneNumber": "+1415555"}, 21421),
        ({"PhoneNumber": "+999123456789"}, 21421),
        ({"PhoneNumber": "+15005550001"}, 21421),
        ({"PhoneNumber": "+15005550000"}, 21422),
        ({"AreaCode": "12"}, 21451),
        ({"AreaCode": "055"}, 21451),
        ({"PhoneNumber": "+14155550112", "SmsUrl": "nonsense"}, 21402),
        ({"PhoneNumber": "+14155550112", "SmsMethod": "PUT"}, 21403),
        ({"PhoneNumber": "+14155550112", "SmsFallbackUrl": "https://example.com/"}, 21406),
        ({"PhoneNumber": "+14155550112", "FriendlyName": "x" * 65}, 20002),
        ({"PhoneNumber": "+14155550112", "SmsApplicationSid": "AP" + "0" * 32}, 21420),
        ({"PhoneNumber": "+14155550112", "AddressSid": "nonsense"}, 20001),
        ({"PhoneNumber": "+14155550112", "VoiceReceiveMode": "telegraph"}, 20001),
        ({"PhoneNumber": "+14155550112", "Unknown": "x"}, 20001),
    ],
)
def test_a_purchase_is_refused(raw: Raw, client: Client, parameters: dict[str, str], code: int) -> None:
    assert raw.outcome("POST", "/IncomingPhoneNumbers.json", data=parameters) == (400, code)
    assert client.incoming_phone_numbers.list(phone_number="+14155550112") == []


def test_the_magic_number_is_told_as_bought(client: Client) -> None:
    assert client.incoming_phone_numbers.create(phone_number="+15005550006").phone_number == "+15005550006"
    assert client.incoming_phone_numbers.list(phone_number="+15005550006") == []


def test_a_number_stays_with_its_account(raw: Raw, client: Client, server: Server) -> None:
    [seed] = client.incoming_phone_numbers.list(phone_number=SEED)
    path = f"/IncomingPhoneNumbers/{seed.sid}.json"
    assert raw.outcome("POST", path, data={"AccountSid": "AC" + "f" * 32}) == (400, 20001)
    assert raw("POST", path, data={"AccountSid": server.account_sid}).status_code == 200


def test_list_and_filters(client: Client, raw: Raw) -> None:
    for n in range(5):
        client.incoming_phone_numbers.create(phone_number=f"+1628555010{n}", friendly_name=f"line {n}")
    wanted = [f"+1628555010{n}" for n in reversed(range(5))]

    def found(**filters: object) -> list[str]:
        return [number.phone_number for number in client.incoming_phone_numbers.list(**filters)]

    assert found(phone_number="6285550") == wanted
    assert found(phone_number="+1628*", page_size=2) == wanted
    assert found(phone_number="*(628) 555-0103*") == ["+16285550103"]
    assert found(friendly_name="line 2") == ["+16285550102"]
    assert found(phone_number="628555", beta=False, origin="twilio") == wanted
    assert found(beta=True) == found(origin="hosted") == []
    assert found(limit=1) == wanted[:1]
    first = client.incoming_phone_numbers.page(phone_number="628555", page_size=3)
    second = first.next_page()
    assert [n.phone_number for n in second.previous_page()] == wanted[:3]
    assert raw.outcome("GET", "/IncomingPhoneNumbers.json?PhoneNumber=1*2") == (400, 20001)
    assert raw.outcome("GET", "/IncomingPhoneNumbers.json?Unknown=1") == (400, 20001)


def test_webhooks_turn_to_twilio_when_it_configures_the_number(
    client: Client, server: Server, receiver: Receiver
) -> None:
    bought = client.incoming_phone_numbers.create(phone_number="+14155550113", sms_url=f"{receiver.url}/sms")
    sent = {"to": bought.phone_number, "body": "Hi"}
    ask(server, "POST", "/simulator/phones/+15550005001/messages", json=sent).raise_for_status()
    [told] = receiver.wait(lambda request: request.path == "/sms")
    assert told.form["To"] == bought.phone_number


@pytest.mark.parametrize("by_application", [False, True])
def test_what_signalwire_led_elsewhere_is_twilios_when_it_configures_the_number(
    client: Client, server: Server, receiver: Receiver, *, by_application: bool
) -> None:
    project = (server.project_id, server.auth_token)
    bought = client.incoming_phone_numbers.create(phone_number=f"+1415555011{5 + by_application}")
    webhook = {"used_for": "messaging", "primary_request_url": f"{receiver.url}/led"}
    resource = ask(server, "POST", "/api/fabric/resources/swml_webhooks", json=webhook, auth=project).json()["id"]
    route = {"phone_route_id": str(UUID(bought.sid[2:])), "handler": "messaging"}
    ask(server, "POST", f"/api/fabric/resources/{resource}/phone_routes", json=route, auth=project).raise_for_status()
    number = client.incoming_phone_numbers(bought.sid)
    assert number.update(friendly_name="Led").sms_application_sid is None
    sent = {"to": bought.phone_number, "body": "Hi"}
    ask(server, "POST", "/simulator/phones/+15550005002/messages", json=sent).raise_for_status()
    receiver.wait(lambda request: request.path == "/led")
    if by_application:
        application = client.applications.create(sms_url=f"{receiver.url}/own")
        assert number.update(sms_application_sid=application.sid).sms_application_sid == application.sid
    else:
        assert number.update(sms_url=f"{receiver.url}/own").sms_application_sid is None
    ask(server, "POST", "/simulator/phones/+15550005002/messages", json=sent).raise_for_status()
    [told] = receiver.wait(lambda request: request.path == "/own")
    assert told.form["To"] == bought.phone_number
    shown = ask(server, "GET", f"/api/relay/rest/phone_numbers/{UUID(bought.sid[2:])}", auth=project).json()
    assert shown["messaging_handler_resource_id"] is None


def test_the_numbers_of_an_account_that_is_closed_are_free_at_once(server: Server, client: Client) -> None:
    sub = client.api.v2010.accounts.create(friendly_name="Sub")
    number = "+14155550290"
    form = {"PhoneNumber": number}
    path = f"/2010-04-01/Accounts/{sub.sid}/IncomingPhoneNumbers.json"
    assert ask(server, "POST", path, auth=(sub.sid, sub.auth_token), data=form).status_code == 201
    send: Callable[..., Any] = client.messages.create
    assert refusal(lambda: send(to="+15550029001", from_=number, body="x")) == (400, 21660)
    client.api.v2010.accounts(sub.sid).update(status="closed")
    assert send(to="+15550029001", from_=number, body="x").status == "queued"
