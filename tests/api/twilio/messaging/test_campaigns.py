"""Campaigns through the official client: submitted, rejected, described anew, and what their numbers may send."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from twilio.rest import Client

from tests.api.twilio.client import ask, client_of, refusal
from tests.api.twilio.messaging.registry import (
    BUNDLES,
    CAMPAIGN,
    CHANGE,
    approved_brand,
    decide,
    outcome,
    own,
    tell,
)
from tests.server import Server, serve


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server of the strict profile."""
    with serve(f"sqlite:///{tmp_path_factory.mktemp('campaigns')}/parley.db", profile="strict") as parley:
        yield parley


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


@pytest.fixture(autouse=True)
def usual(server: Server) -> None:
    tell(server, delay_s=0, verdict="rules", reason="", score=50)


@pytest.fixture(scope="module")
def brand(server: Server, client: Client) -> str:
    tell(server, delay_s=0)
    return approved_brand(server, client)


@pytest.fixture
def service(client: Client) -> Any:
    return client.messaging.v1.services.create(friendly_name="Orders")


def submit(client: Client, service: Any, brand: str, **changed: Any) -> Any:
    campaigns = client.messaging.v1.services(service.sid).us_app_to_person
    return campaigns.create(**{**CAMPAIGN, "brand_registration_sid": brand, **changed})


def test_a_campaign_that_is_right_is_verified(server: Server, client: Client, brand: str, service: Any) -> None:
    tell(server, verdict="hold")
    campaign = submit(client, service, brand)
    assert (campaign.campaign_status, campaign.campaign_id, campaign.rate_limits) == ("PENDING", None, None)
    assert not service.fetch().us_app_to_person_registered
    tell(server, verdict="rules")
    decide(server)
    found = campaign.fetch()
    assert (found.campaign_status, found.errors) == ("VERIFIED", [])
    assert found.campaign_id.startswith("C")
    assert found.rate_limits == {"att": {"mps": 10}, "tmobile": {"brand_tier": "MEDIUM"}}
    assert service.fetch().us_app_to_person_registered


def test_it_tells_what_it_was_told(client: Client, brand: str, service: Any) -> None:
    words = {
        "opt_in_message": "Acme: you get news of your orders. Reply STOP to opt out.",
        "opt_out_message": "Acme: you will get no more messages.",
        "help_message": "Acme: see https://acme.example/help for help.",
        "opt_in_keywords": ["JOIN"],
        "opt_out_keywords": ["STOP", "LEAVE"],
        "help_keywords": ["HELP"],
        "subscriber_opt_in": True,
        "age_gated": True,
        "direct_lending": True,
    }
    campaign = submit(client, service, brand, **words)
    told = {**CAMPAIGN, **words, "brand_registration_sid": brand, "messaging_service_sid": service.sid}
    assert {name: getattr(campaign, name) for name in told} == told
    assert [found.sid for found in client.messaging.v1.services(service.sid).us_app_to_person.list()] == [campaign.sid]


def test_without_words_of_its_own_it_has_the_platforms(client: Client, brand: str, service: Any) -> None:
    campaign = submit(client, service, brand)
    assert "STOPALL" in campaign.opt_out_keywords
    assert campaign.help_keywords == ["HELP", "INFO"]
    assert "START" in campaign.opt_out_message
    assert (campaign.opt_in_message, campaign.opt_in_keywords) == (None, [])


def test_policies_are_told_to_those_who_ask_in_the_version_that_has_them(
    server: Server, client: Client, brand: str, service: Any
) -> None:
    policy = "https://acme.example/privacy"
    campaign = submit(client, service, brand, privacy_policy_url=policy, x_twilio_api_version="v1.2")
    assert (campaign.privacy_policy_url, campaign.terms_and_conditions_url) == (policy, None)
    path = f"/messaging/v1/Services/{service.sid}/Compliance/Usa2p/{campaign.sid}"
    assert "privacy_policy_url" not in ask(server, "GET", path).json()


@pytest.mark.parametrize(
    ("changed", "field", "code"),
    [
        ({"message_samples": CAMPAIGN["message_samples"][:1]}, "MESSAGE_SAMPLES", 30893),
        ({"message_samples": ["Reply STOP to opt out.", "Hi"]}, "MESSAGE_SAMPLES", 30893),
        ({"message_samples": CAMPAIGN["message_samples"][1:] * 2}, "MESSAGE_SAMPLES", 30893),
        ({"has_embedded_links": True}, "MESSAGE_SAMPLES", 30893),
        (
            {"message_samples": ["Acme: see https://acme.example/1. Reply STOP to opt out.", "Acme: it has arrived."]},
            "MESSAGE_SAMPLES",
            30893,
        ),
        (
            {"message_samples": ["Acme: call (415) 555-0123 for help.", "Acme: reply STOP to opt out."]},
            "MESSAGE_SAMPLES",
            30893,
        ),
        ({"description": "News"}, "DESCRIPTION", 30899),
        ({"message_flow": "They ask for it."}, "MESSAGE_FLOW", 30909),
    ],
)
def test_what_reviewers_object_to(
    server: Server, client: Client, brand: str, service: Any, changed: dict[str, Any], field: str, code: int
) -> None:
    campaign = submit(client, service, brand, **changed)
    decide(server)
    found = campaign.fetch()
    assert found.campaign_status == "FAILED"
    [error] = found.errors
    assert (error["error_code"], error["fields"]) == (code, [field])
    assert error["description"].endswith(".")


def test_reviewers_may_be_told_to_reject(server: Server, client: Client, brand: str, service: Any) -> None:
    tell(server, verdict="reject", reason="Carriers do not like it.")
    campaign = submit(client, service, brand)
    decide(server)
    found = campaign.fetch()
    assert [(error["error_code"], error["description"]) for error in found.errors] == [
        (30899, "Carriers do not like it.")
    ]


def test_a_campaign_needs_a_brand_that_was_approved(server: Server, client: Client, service: Any) -> None:
    tell(server, verdict="hold")
    brand = client.messaging.v1.brand_registrations.create(**BUNDLES)
    assert refusal(lambda: submit(client, service, brand.sid)) == (400, 21717)
    tell(server, verdict="reject")
    decide(server)
    assert brand.fetch().status == "FAILED"
    assert refusal(lambda: submit(client, service, brand.sid)) == (400, 21717)
    tell(server, verdict="approve")
    client.messaging.v1.brand_registrations(brand.sid).update()
    decide(server)
    assert submit(client, service, brand.sid).campaign_status == "PENDING"


def test_a_service_has_one_campaign(client: Client, brand: str, service: Any) -> None:
    campaign = submit(client, service, brand)
    assert refusal(lambda: submit(client, service, brand)) == (400, 20001)
    assert campaign.delete()
    assert refusal(campaign.fetch) == (404, 20404)
    assert submit(client, service, brand).campaign_status == "PENDING"


def test_a_sole_proprietor_has_one_campaign(server: Server, client: Client, brand: str, service: Any) -> None:
    alone = approved_brand(server, client, brand_type="SOLE_PROPRIETOR")
    usecases = client.messaging.v1.services(service.sid).us_app_to_person_usecases
    assert [use["code"] for use in usecases.fetch(alone).us_app_to_person_usecases] == ["SOLE_PROPRIETOR"]
    assert len(usecases.fetch(brand).us_app_to_person_usecases) == 20
    assert usecases.fetch().us_app_to_person_usecases == usecases.fetch(brand).us_app_to_person_usecases
    sole = {"us_app_to_person_usecase": "SOLE_PROPRIETOR"}
    assert refusal(lambda: submit(client, service, brand, **sole)) == (400, 21717)
    assert refusal(lambda: submit(client, service, alone)) == (400, 21717)
    submit(client, service, alone, **sole)
    other = client.messaging.v1.services.create(friendly_name="Another")
    assert refusal(lambda: submit(client, other, alone, **sole)) == (400, 21732)


def test_a_campaign_that_was_registered_elsewhere(server: Server, client: Client, service: Any) -> None:
    external = client.messaging.v1.external_campaign.create(
        campaign_id="CABC123", messaging_service_sid=service.sid, cnp_migration=True
    )
    assert (external.campaign_id, external.messaging_service_sid) == ("CABC123", service.sid)
    decide(server)
    [found] = client.messaging.v1.services(service.sid).us_app_to_person.list()
    assert (found.sid, found.campaign_id, found.campaign_status) == (external.sid, "CABC123", "VERIFIED")
    assert found.is_externally_registered
    missing = {"campaign_id": "CABC123", "messaging_service_sid": "MG" + "0" * 32}
    assert refusal(lambda: client.messaging.v1.external_campaign.create(**missing)) == (400, 20001)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"brand_registration_sid": "BN" + "0" * 32}, 21717),
        ({"brand_registration_sid": "BN"}, 21717),
        ({"brand_registration_sid": ""}, 21727),
        ({"us_app_to_person_usecase": "SPAM"}, 21720),
        ({"us_app_to_person_usecase": "mixed"}, 21720),
        ({"us_app_to_person_usecase": ""}, 21727),
        ({"message_samples": []}, 21727),
        ({"message_samples": ["x" * 1025, "x"]}, 21728),
        ({"message_samples": ["Acme: reply STOP to opt out."] * 6}, 21728),
        ({"description": "x" * 4097}, 21728),
        ({"message_flow": ""}, 21727),
        ({"has_embedded_links": ""}, 21727),
        ({"opt_in_message": "too short"}, 21728),
        ({"opt_in_keywords": ["two words"]}, 20001),
        ({"opt_in_keywords": ["x" * 128] * 2}, 21728),
        ({"privacy_policy_url": "ftp://acme.example"}, 20001),
    ],
)
def test_what_is_no_campaign(client: Client, brand: str, service: Any, wrong: dict[str, Any], code: int) -> None:
    assert refusal(lambda: submit(client, service, brand, **wrong)) == (400, code)
    assert client.messaging.v1.services(service.sid).us_app_to_person.list() == []


def test_campaigns_are_their_services_own(client: Client, brand: str, service: Any) -> None:
    campaign = submit(client, service, brand)
    other = client.messaging.v1.services.create(friendly_name="Another")
    elsewhere = client.messaging.v1.services(other.sid).us_app_to_person(campaign.sid)
    assert refusal(elsewhere.fetch) == (404, 20404)
    assert refusal(lambda: elsewhere.update(**CHANGE)) == (404, 20404)
    assert refusal(elsewhere.delete) == (404, 20404)
    assert service.delete()
    assert refusal(campaign.fetch) == (404, 20404)


def test_rejected_then_described_anew_then_its_numbers_send(
    server: Server, client: Client, brand: str, service: Any
) -> None:
    address, phone = "+14155550150", "+14155550199"
    pool = client.messaging.v1.services(service.sid).phone_numbers
    pool.create(phone_number_sid=own(server, address))

    def send(body: str) -> tuple[str, int | None]:
        return outcome(server, client.messages.create(to=phone, messaging_service_sid=service.sid, body=body))

    campaign = submit(client, service, brand, message_samples=["Acme: your order 1234 was sent.", "Acme: it arrived!!"])
    decide(server)
    found = campaign.fetch()
    assert found.campaign_status == "FAILED"
    assert {"MESSAGE_SAMPLES"} == {field for error in found.errors for field in error["fields"]}
    assert send("Too early")[1] == 30034
    tell(server, verdict="hold")
    campaigns = client.messaging.v1.services(service.sid).us_app_to_person
    again = campaigns(campaign.sid).update(**CHANGE)
    assert (again.campaign_status, again.errors) == ("PENDING", [])
    assert send("Still too early")[1] == 30034
    tell(server, verdict="rules")
    decide(server)
    assert campaign.fetch().campaign_status == "VERIFIED"
    assert send("In time") == ("delivered", None)
    assert campaigns(campaign.sid).delete()
    assert send("Too late")[1] == 30034


@pytest.mark.parametrize("drops_service", [False, True])
def test_numbers_are_free_again_when_their_campaign_went(
    server: Server, client: Client, brand: str, service: Any, *, drops_service: bool
) -> None:
    number = f"+1415555091{int(drops_service)}"
    own(server, number)

    def order(of: Any) -> int:
        campaign = submit(client, of, brand)
        decide(server)
        path = f"/api/relay/rest/registry/beta/campaigns/{UUID(campaign.sid[2:])}/orders"
        answer = ask(server, "POST", path, json={"phone_numbers": [number]})
        for _ in range(2):  # it begins, and is settled
            server.run(server.app.orders.turn())
        return answer.status_code

    assert order(service) == 200
    (service if drops_service else client.messaging.v1.services(service.sid).us_app_to_person.list()[0]).delete()
    assert order(client.messaging.v1.services.create(friendly_name="Again")) == 200
