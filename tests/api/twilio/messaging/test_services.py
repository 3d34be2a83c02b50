"""Messaging services through the official client: their settings, their lists, and by which names they are reached."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from msgspec.structs import replace
from twilio.rest import Client

from parley.model.registry import Campaign
from tests.api.twilio.client import Checked, ask, client_of, refusal
from tests.server import Server

URL = "https://example.com/hook"
DEFAULTS = {
    "inbound_request_url": None,
    "inbound_method": "POST",
    "fallback_url": None,
    "fallback_method": "POST",
    "status_callback": None,
    "sticky_sender": True,
    "mms_converter": True,
    "smart_encoding": True,
    "scan_message_content": "inherit",
    "fallback_to_long_code": True,
    "area_code_geomatch": True,
    "synchronous_validation": False,
    "validity_period": 36_000,
    "usecase": "undeclared",
    "us_app_to_person_registered": False,
    "use_inbound_webhook_on_number": False,
}
CHANGED = {
    "friendly_name": "Alarms",
    "inbound_request_url": URL,
    "inbound_method": "GET",
    "fallback_url": f"{URL}/fallback#rc=2",
    "fallback_method": "GET",
    "status_callback": f"{URL}/status",
    "sticky_sender": False,
    "mms_converter": False,
    "smart_encoding": False,
    "scan_message_content": "disable",
    "fallback_to_long_code": False,
    "area_code_geomatch": False,
    "synchronous_validation": True,
    "validity_period": 1,
    "usecase": "marketing",
    "use_inbound_webhook_on_number": True,
}


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


def settings(service: Any, names: Any) -> dict[str, Any]:
    return {name: getattr(service, name) for name in names}


def test_a_service_begins_with_the_defaults_and_keeps_what_it_is_told(client: Client) -> None:
    made = client.messaging.v1.services.create(friendly_name="Alerts")
    assert (made.friendly_name, settings(made, DEFAULTS)) == ("Alerts", DEFAULTS)
    service = client.messaging.v1.services(made.sid)
    assert settings(service.update(**CHANGED), CHANGED) == CHANGED
    assert settings(service.fetch(), CHANGED) == CHANGED
    kept = service.update(inbound_request_url="", validity_period=36_000)
    assert (kept.inbound_request_url, kept.validity_period, kept.usecase) == (None, 36_000, "marketing")
    assert service.delete()
    assert refusal(service.fetch) == (404, 20404)
    assert refusal(service.delete) == (404, 20404)
    assert refusal(lambda: service.update(usecase="poll")) == (404, 20404)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, 20001),
        ({"FriendlyName": ""}, 20001),
        ({"FriendlyName": "  "}, 20001),
        ({"FriendlyName": "x" * 65}, 20001),
        ({"InboundRequestUrl": "nonsense"}, 20001),
        ({"InboundMethod": "PUT"}, 21403),
        ({"FallbackUrl": "ftp://example.com"}, 20001),
        ({"StatusCallback": "http://10.0.0.1/"}, 20001),
        ({"StickySender": "maybe"}, 20001),
        ({"ScanMessageContent": "always"}, 20001),
        ({"Usecase": "spam"}, 21713),
        ({"ValidityPeriod": "0"}, 21624),
        ({"ValidityPeriod": "36001"}, 21624),
        ({"ValidityPeriod": "soon"}, 21624),
        ({"Unknown": "1"}, 20001),
    ],
)
def test_a_wrong_setting_makes_no_service(server: Server, client: Client, given: dict[str, str], code: int) -> None:
    before = [service.sid for service in client.messaging.v1.services.list()]
    whole = given if not given or "FriendlyName" in given else {"FriendlyName": "x", **given}
    answer = ask(server, "POST", "/messaging/v1/Services", data=whole)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert [service.sid for service in client.messaging.v1.services.list()] == before


@pytest.mark.parametrize("name", ["", "  ", "x" * 65])
def test_a_service_keeps_its_name_when_another_is_none(server: Server, client: Client, name: str) -> None:
    made = client.messaging.v1.services.create(friendly_name="Named")
    answer = ask(server, "POST", f"/messaging/v1/Services/{made.sid}", data={"FriendlyName": name})
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)
    assert client.messaging.v1.services(made.sid).fetch().friendly_name == "Named"


def test_pages_back_end_where_the_first_item_is(server: Server, client: Client) -> None:
    made = [client.messaging.v1.services.create(friendly_name=f"In pages {n}") for n in range(3)]
    third = client.messaging.v1.services.page(page_size=1).next_page().next_page()
    made.pop().delete()  # the newest, which was the first page
    second = third.previous_page()
    assert [each.sid for each in second] == [made[1].sid]
    assert second.previous_page_url is None


def test_usecases_are_told(client: Client) -> None:
    told = client.messaging.v1.usecases.fetch().usecases
    assert [each["usecase"] for each in told][:2] == ["notifications", "marketing"]
    assert all(each["purpose"] and each["description"] for each in told)


def test_links_lead_where_they_say(server: Server, client: Client) -> None:
    made = client.messaging.v1.services.create(friendly_name="Linked")
    assert made.url == f"{server.base_url}/messaging/v1/Services/{made.sid}"
    for name in ("phone_numbers", "short_codes", "alpha_senders", "destination_alpha_senders", "channel_senders"):
        answer = ask(server, "GET", made.links[name].removeprefix(server.base_url))
        assert (answer.status_code, answer.json()["meta"]["url"].partition("?")[0]) == (200, made.links[name])


class ByHost(Checked):
    """Goes to the server under test whatever the URL, and keeps the product in the Host header."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base = urlsplit(base_url)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Make one request."""
        parts = urlsplit(url)
        headers = {**(kwargs.pop("headers", None) or {}), "Host": parts.netloc}
        there = urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))
        return super(Checked, self).request(method, there, *args, headers=headers, **kwargs)


def test_the_host_names_the_product_as_well_as_the_path_does(server: Server, client: Client) -> None:
    by_host = Client(server.account_sid, server.auth_token, http_client=ByHost(server.base_url))
    made = [by_host.messaging.v1.services.create(friendly_name=f"By host {n}") for n in range(3)]
    newest_first = [service.sid for service in reversed(made)]
    assert [service.sid for service in by_host.messaging.v1.services.list(page_size=2, limit=3)] == newest_first
    page = by_host.messaging.v1.services.page(page_size=2)
    following = urlsplit(page.next_page_url)
    assert (following.netloc, following.path) == ("messaging.twilio.com", "/v1/Services")
    assert [service.sid for service in page.next_page().previous_page()] == newest_first[:2]
    assert made[0].url == f"https://messaging.twilio.com/v1/Services/{made[0].sid}"
    by_path = client.messaging.v1.services(made[0].sid).fetch()
    assert by_path.friendly_name == "By host 0"
    for service in made:
        assert by_host.messaging.v1.services(service.sid).delete()


def test_a_region_in_the_host_changes_nothing(server: Server) -> None:
    for host, status in (("messaging.sydney.au1.twilio.com", 200), ("notify.twilio.com", 404)):
        answer = ask(server, "GET", "/v1/Services", headers={"Host": host})
        assert answer.status_code == status


def test_a_service_is_registered_once_its_campaign_is_approved(server: Server, client: Client) -> None:
    made = client.messaging.v1.services.create(friendly_name="Registered")
    campaigns = server.app.registry.campaigns
    campaign = Campaign(brand_id=None)
    kept = server.run(campaigns.add(server.account_id, campaign, parent_id=bytes.fromhex(made.sid[2:])))
    assert made.fetch().us_app_to_person_registered is False
    approved = replace(campaign, verdict="approved")
    server.run(campaigns.change(server.account_id, kept.id, lambda it: replace(it, value=approved)))
    assert made.fetch().us_app_to_person_registered is True
    [listed] = [each for each in client.messaging.v1.services.list() if each.sid == made.sid]
    assert listed.us_app_to_person_registered is True


def test_services_are_an_accounts_own(server: Server, client: Client) -> None:
    made = client.messaging.v1.services.create(friendly_name="Ours")
    other = server.run(server.app.accounts.add("Other"))
    theirs = Client(f"AC{other.id.hex()}", other.auth_token.reveal(), http_client=Checked())
    theirs.messaging.base_url = f"{server.base_url}/messaging"
    assert theirs.messaging.v1.services.list() == []
    assert refusal(theirs.messaging.v1.services(made.sid).fetch) == (404, 20404)
    assert refusal(theirs.messaging.v1.services(made.sid).delete) == (404, 20404)
    assert ask(server, "GET", "/messaging/v1/Services", auth=("x", "y")).status_code == 401
