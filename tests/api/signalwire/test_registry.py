"""The campaign registry: brands, campaigns, orders, what is told of them, and who may send then."""

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any
from unittest.mock import AsyncMock
from uuid import UUID

import pytest
import requests

from tests.api.signalwire.asked import BRAND, CAMPAIGN, GUIDE_BRAND, GUIDE_CAMPAIGN
from tests.api.signalwire.client import Client
from tests.api.signalwire.described import hold
from tests.receiver import Received, Receiver
from tests.server import Server, serve

REST = "/api/relay/rest"
BETA = f"{REST}/registry/beta"
OURS = "+15551234567"
OTHER = "+15557654321"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that asks US long codes for a campaign, and decides at once."""
    folder = tmp_path_factory.mktemp("registry")
    with serve(f"sqlite:///{folder}/parley.db", campaign_registration=True) as server:
        reviewers = {"delay_s": 0, "verdict": "approve"}
        requests.put(f"{server.base_url}/simulator/reviewers", json=reviewers, auth=server.auth, timeout=30)
        yield server


def told(receiver: Receiver, event: str) -> list[Any]:
    """Wait for an event, and return all of that name."""
    return [each.json for each in receiver.wait(lambda request: request.json["event_type"] == event)]


def number_id(client: Client, number: str) -> str:
    [found] = client.ask("GET", f"{REST}/phone_numbers", 200, params={"filter_number": number})["data"]
    id: str = found["id"]
    return id


def is_signed(request: Received, key: str) -> bool:
    text = request.url.encode() + request.body
    expected = hmac.new(key.encode(), text, hashlib.sha1).hexdigest()
    return request.headers["x-signalwire-signature"] == expected


def test_a_number_sends_once_it_is_assigned(strict: Server, receiver: Receiver) -> None:
    client, url = Client(strict), receiver.url
    blocked = client.send(**{"from": OURS, "to": "+15559650001"})
    brand = client.ask("POST", f"{BETA}/brands", 201, json={**BRAND, "status_callback_url": f"{url}/brand"})
    asked = {**CAMPAIGN, "brand_id": brand["id"], "status_callback_url": f"{url}/campaign"}
    campaign = client.ask("POST", f"{BETA}/brands/{brand['id']}/campaigns", 201, json=asked)
    assert (brand["state"], campaign["state"]) == ("pending", "pending")
    [active] = told(receiver, "campaign_activated")
    assert (active["brand_id"], active["campaign_id"]) == (brand["id"], campaign["id"])
    assert told(receiver, "brand_activated")[0]["state"] == "completed"

    one = f"{BETA}/campaigns/{campaign['id']}"
    order = {"phone_numbers": [OURS], "status_callback_url": f"{url}/order"}
    ordered = client.ask("POST", f"{one}/orders", 200, json=order)
    assert ordered["state"] == "pending"
    [processed] = told(receiver, "number_assignment_order_processed")
    assert processed["number_assignment_order_id"] == ordered["id"]
    for event in ("number_assignment_pending", "number_assignment_activated"):
        [about] = told(receiver, event)
        assert (about["phone_number"], about["phone_number_id"]) == (OURS, number_id(client, OURS))
    [assigned] = client.ask("GET", f"{one}/numbers", 200)["data"]
    assert assigned["state"] == "completed"
    assert client.ask("GET", f"{BETA}/orders/{ordered['id']}", 200)["state"] == "processed"

    key = requests.get(f"{strict.base_url}/admin/account", auth=strict.auth, timeout=30).json()["signing_key"]
    for request in receiver.requests:
        hold("TenDlcStatusCallbackPayload", request.json)
        assert is_signed(request, key)

    log = f"/api/messaging/logs/{blocked['id']}"
    assert client.ask("GET", log, 200)["error_code"] == "carrier_violation"
    client.send(**{"from": OURS, "to": "+15559650001", "body": "Registered"})
    assert client.inbox("+15559650001", "Registered")

    assert client.ask("POST", f"{one}/orders", 422, json={"phone_numbers": []})["errors"]
    again = client.ask("POST", f"{one}/orders", 422, json={"phone_numbers": [OURS]})
    assert (again["errors"][0]["code"], again["errors"][0]["detail"]) == (
        "already_assigned",
        f"{OURS} is in a campaign already",
    )
    assert client.raw("DELETE", f"{BETA}/numbers/{assigned['id']}").status_code == 204
    assert client.ask("GET", f"{one}/numbers", 200)["data"] == []


def test_the_guides_way(strict: Server) -> None:
    client = Client(strict)
    brand = client.ask("POST", "/api/messaging/brands", 201, json=GUIDE_BRAND)
    assert (brand["legal_entity_type"], brand["status"]) == ("PRIVATE_PROFIT", "pending")
    assert brand["company_address"] == "123 Main St, Anytown, CA, 90210, US"
    campaign = client.ask("POST", "/api/messaging/campaigns", 201, json={**GUIDE_CAMPAIGN, "brand_id": brand["id"]})
    same = client.ask("GET", f"{BETA}/campaigns/{campaign['id']}", 200)
    assert same["sample1"] == GUIDE_CAMPAIGN["sample_messages"][0]
    for _ in ("the brand", "its campaign"):
        strict.run(strict.app.reviewing.turn())
    path = f"{REST}/phone_numbers/{number_id(client, OTHER)}"
    client.ask("PUT", path, 200, json={"messaging_campaign_id": campaign["id"]})
    for _ in ("begins", "ends"):
        strict.run(strict.app.orders.turn())
    numbers = f"{BETA}/campaigns/{campaign['id']}/numbers"
    [completed] = client.ask("GET", numbers, 200, params={"filter_state": "completed"})["data"]
    assert completed["phone_number"]["number"] == OTHER
    assert client.ask("GET", numbers, 200, params={"filter_state": "pending"})["data"] == []
    assert client.ask("GET", path, 200)["messaging_campaign_id"] == campaign["id"]
    found = client.ask("GET", f"/api/messaging/campaigns/{campaign['id']}", 200)
    assert (found["status"], found["throughput"]) == ("active", 10.0)
    client.ask("PUT", path, 200, json={"messaging_campaign_id": None})
    assert "messaging_campaign_id" not in client.ask("GET", path, 200)


def test_of_a_numbers_campaigns_the_last_one_asked_for_holds(
    strict: Server, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    """However soon after the others, whose orders have not begun."""
    client, url = Client(strict), receiver.url
    brand = client.ask("POST", "/api/messaging/brands", 201, json=GUIDE_BRAND)["id"]
    first, second = (
        client.ask("POST", "/api/messaging/campaigns", 201, json={**GUIDE_CAMPAIGN, "brand_id": brand})["id"]
        for _ in range(2)
    )
    path = f"{REST}/phone_numbers/{number_id(client, OTHER)}"

    def ordered(campaign: str) -> int:
        return len(client.ask("GET", f"{BETA}/campaigns/{campaign}/orders", 200)["data"])

    with monkeypatch.context() as held:
        held.setattr(strict.app.registry.orders, "due", AsyncMock(return_value=[]))
        both = {"phone_numbers": [OTHER, OURS], "status_callback_url": url}
        client.ask("POST", f"{BETA}/campaigns/{first}/orders", 200, json=both)
        for campaign, orders in ((first, (1, 0)), (first, (1, 0)), (second, (1, 1)), (None, (1, 0))):
            client.ask("PUT", path, 200, json={"messaging_campaign_id": campaign})
            assert (ordered(first), ordered(second)) == orders
    assert told(receiver, "number_assignment_pending")[0]["phone_number"] == OURS
    told(receiver, "number_assignment_order_processed")
    assert "messaging_campaign_id" not in client.ask("GET", path, 200)
    [assigned] = client.ask("GET", f"{BETA}/campaigns/{first}/numbers", 200)["data"]
    assert client.raw("DELETE", f"{BETA}/numbers/{assigned['id']}").status_code == 204


def test_what_a_campaign_and_an_order_do_not_name_has_no_id(
    strict: Server, monkeypatch: pytest.MonkeyPatch, receiver: Receiver
) -> None:
    """A campaign that was registered elsewhere has no brand here; a number may go before its order begins."""
    client = Client(strict)
    twilio = "/messaging/v1/Services"
    service = client.raw("POST", twilio, data={"FriendlyName": "S"}).json()["sid"]
    form = {"CampaignId": "CABCDEF", "MessagingServiceSid": service}
    sid = client.raw("POST", f"{twilio}/PreregisteredUsa2p", data=form).json()["sid"]
    id = client.ask("GET", f"{BETA}/campaigns/{UUID(sid.removeprefix('QE'))}", 200)["id"]
    short_lived = client.ask("POST", f"{REST}/phone_numbers", 200, json={"number": "+15559650009"})["id"]
    with monkeypatch.context() as held:
        held.setattr(strict.app.registry.orders, "due", AsyncMock(return_value=[]))
        order = {"phone_numbers": ["+15559650009"], "status_callback_url": receiver.url}
        client.ask("POST", f"{BETA}/campaigns/{id}/orders", 200, json=order)
        client.raw("DELETE", f"{REST}/phone_numbers/{short_lived}").raise_for_status()
    [failed] = told(receiver, "number_assignment_failed")
    assert (failed["brand_id"], failed["phone_number_id"], failed["phone_number"]) == (None, None, "+15559650009")
    [assigned] = client.ask("GET", f"{BETA}/campaigns/{id}/numbers", 200)["data"]
    assert (assigned["state"], assigned["phone_number"]["id"]) == ("failed", None)


GUIDE_ERRORS = [
    ("brands", {"address": "Main St"}, ("must_be_object", "address")),
    ("brands", {"address": {"street": 5}}, ("not_a_string", "address.street")),
    ("brands", {"address": {"planet": "Earth"}}, ("invalid_parameter", "address.planet")),
    ("brands", {"vertical": "RETAILING"}, ("invalid_parameter", "vertical")),
    ("brands", {"business_type": "guild"}, ("invalid_parameter", "business_type")),
    ("campaigns", {"sample_messages": [""]}, ("invalid_parameter", "sample_messages")),
    ("campaigns", {"sample_messages": ["x" * 2049]}, ("invalid_parameter", "sample_messages")),
    ("campaigns", {"opt_out_keywords": ["STOP, END"]}, ("incorrect_keyword_format", "opt_out_keywords")),
]


@pytest.mark.parametrize(("kind", "wrong", "error"), GUIDE_ERRORS)
def test_each_error_of_the_guides_way(strict: Server, kind: str, wrong: dict[str, Any], error: tuple[str, str]) -> None:
    client = Client(strict)
    brand = client.ask("POST", "/api/messaging/brands", 201, json={**GUIDE_BRAND, "address": {"city": None}})
    assert (brand["company_address"], brand["ein_issuing_country"]) == ("", "US")
    right = GUIDE_BRAND if kind == "brands" else {**GUIDE_CAMPAIGN, "brand_id": brand["id"]}
    assert client.codes("POST", f"/api/messaging/{kind}", json={**right, **wrong}) == [error]


def test_what_is_rejected(store_url: str, receiver: Receiver) -> None:
    with serve(store_url) as server:
        reviewers = {"delay_s": 0, "verdict": "reject", "reason": "No."}
        requests.put(f"{server.base_url}/simulator/reviewers", json=reviewers, auth=server.auth, timeout=30)
        client, url = Client(server), receiver.url
        brand = client.ask("POST", f"{BETA}/brands", 201, json={**BRAND, "status_callback_url": url})
        assert told(receiver, "brand_unverified")[0]["state"] == "unverified"
        asked = {**CAMPAIGN, "brand_id": brand["id"], "status_callback_url": url}
        campaign = client.ask("POST", f"{BETA}/brands/{brand['id']}/campaigns", 201, json=asked)
        assert told(receiver, "campaign_deactivated")[0]["state"] == "inactive"
        order = {"phone_numbers": [OURS], "status_callback_url": url}
        client.ask("POST", f"{BETA}/campaigns/{campaign['id']}/orders", 200, json=order)
        assert told(receiver, "number_assignment_failed")[0]["phone_number"] == OURS


BRAND_ERRORS = [
    ({**BRAND, "name": "A"}, "invalid_parameter"),
    ({**BRAND, "ein": ""}, "missing_required_parameter"),
    ({**BRAND, "legal_entity_type": "LLC"}, "invalid_parameter"),
    ({**BRAND, "status_callback_url": "ftp://x"}, "not_an_http_url"),
    ({**BRAND, "status_callback_url": "http://169.254.169.254/"}, "url_is_unsafe"),
    ({"csp_self_registered": True, "name": "Acme"}, "missing_required_parameter"),
]


@pytest.mark.parametrize(("given", "code"), BRAND_ERRORS)
def test_each_error_of_brands(strict: Server, given: dict[str, Any], code: str) -> None:
    assert [found for found, _ in Client(strict).codes("POST", f"{BETA}/brands", json=given)] == [code]


CAMPAIGN_ERRORS = [
    ({"description": "Short"}, "invalid_parameter"),
    ({"sample2": None}, "missing_required_parameter"),
    ({"opt_out_keywords": "STOP, END"}, "incorrect_keyword_format"),
    ({"csp_campaign_reference": None, "sample1": "Short"}, "invalid_parameter"),
    ({"sub_use_cases": ["MARKETING"]}, "incompatible_parameters"),
    ({"sms_use_case": "MIXED", "sub_use_cases": ["MARKETING"]}, "invalid_parameter"),
    ({"terms_and_conditions": False}, "invalid_parameter"),
    ({"embedded_link": "yes"}, "not_a_boolean"),
    ({"brand_id": "00000000-0000-7000-8000-000000000000"}, "incompatible_parameters"),
]


@pytest.mark.parametrize(("wrong", "code"), CAMPAIGN_ERRORS)
def test_each_error_of_campaigns(strict: Server, wrong: dict[str, Any], code: str) -> None:
    client = Client(strict)
    elsewhere = {"csp_self_registered": True, "name": "Acme", "csp_brand_reference": "BABCDEF"}
    brand = client.ask("POST", f"{BETA}/brands", 201, json=elsewhere)
    asked = {**CAMPAIGN, "brand_id": brand["id"], **wrong}
    path = f"{BETA}/brands/{brand['id']}/campaigns"
    assert [found for found, _ in client.codes("POST", path, json=asked)] == [code]
    assert client.ask("GET", path, 200)["data"] == []
