"""Verifications of toll-free numbers through the official client: submitted, rejected, edited, approved."""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from twilio.rest import Client

from tests.api.twilio.client import ask, client_of, refusal
from tests.api.twilio.messaging.registry import decide, outcome, own, tell
from tests.clock import ManualClock
from tests.server import Server, serve

ASKED: Final[dict[str, Any]] = {
    "business_name": "Acme",
    "business_website": "https://acme.example",
    "notification_email": "ops@acme.example",
    "use_case_categories": ["CUSTOMER_CARE", "ACCOUNT_NOTIFICATIONS"],
    "use_case_summary": "Answers to questions about orders.",
    "production_message_sample": "Acme: your order 1234 was sent. Reply STOP to opt out.",
    "opt_in_image_urls": ["https://acme.example/opt-in.png"],
    "opt_in_type": "WEB_FORM",
    "message_volume": "1,000",
}
MORE: Final[dict[str, Any]] = {
    "customer_profile_sid": "BU" + "1" * 32,
    "business_street_address": "1 Main Street",
    "business_street_address2": "Floor 2",
    "business_city": "Anytown",
    "business_state_province_region": "CA",
    "business_postal_code": "11111",
    "business_country": "US",
    "additional_information": "See our page for more.",
    "business_contact_first_name": "Ada",
    "business_contact_last_name": "Byron",
    "business_contact_email": "ada@acme.example",
    "business_contact_phone": "+14155550123",
    "external_reference_id": "our-1",
    "business_registration_number": "12-3456789",
    "business_registration_authority": "EIN",
    "business_registration_country": "US",
    "business_type": "PRIVATE_PROFIT",
    "business_registration_phone_number": "+14155550124",
    "doing_business_as": "Acme Shop",
    "opt_in_confirmation_message": "Acme: you are in.",
    "help_message_sample": "Acme: see our page.",
    "privacy_policy_url": "https://acme.example/privacy",
    "terms_and_conditions_url": "https://acme.example/terms",
    "age_gated_content": False,
    "opt_in_keywords": ["JOIN"],
    "vetting_provider": "CAMPAIGN_VERIFY",
    "vetting_id": "cv|1.0",
}


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, clock: ManualClock) -> Iterator[Server]:
    """Return a server of the strict profile whose clock is turned by hand."""
    with serve(f"sqlite:///{tmp_path_factory.mktemp('tollfree')}/parley.db", clock, profile="strict") as parley:
        yield parley


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


@pytest.fixture(scope="module")
def numbers(server: Server) -> Iterator[str]:
    """Return SIDs of toll-free numbers that nothing was asked for yet."""
    return (own(server, f"+1888555{line:04}") for line in range(100, 1000))


@pytest.fixture
def number(numbers: Iterator[str]) -> str:
    return next(numbers)


@pytest.fixture(autouse=True)
def usual(server: Server) -> None:
    tell(server, delay_s=0, verdict="rules", reason="")


def submit(client: Client, number: str, **changed: Any) -> Any:
    return client.messaging.v1.tollfree_verifications.create(
        **{**ASKED, "tollfree_phone_number_sid": number, **changed}
    )


def test_it_tells_what_it_was_told(server: Server, client: Client, number: str) -> None:
    made = submit(client, number, **MORE)
    told = {**ASKED, **MORE, "tollfree_phone_number_sid": number}
    assert {name: getattr(made, name) for name in told} == told
    assert made.tollfree_phone_number.startswith("+1888555")
    assert (made.status, made.edit_allowed, made.rejection_reasons) == ("PENDING_REVIEW", None, None)
    decide(server)
    assert made.fetch().status == "TWILIO_APPROVED"


def test_rejected_then_edited_then_approved(server: Server, client: Client, clock: ManualClock, number: str) -> None:
    made = submit(client, number, production_message_sample="Hi")
    decide(server)
    found = made.fetch()
    message = {"from_": found.tollfree_phone_number, "to": "+14155550199", "body": "Acme: your order was sent."}
    assert outcome(server, client.messages.create(**message)) == ("undelivered", 30032)
    assert (found.status, found.error_code, found.edit_allowed) == ("TWILIO_REJECTED", 30538, True)
    assert [reason["code"] for reason in found.rejection_reasons] == [30538]
    assert found.rejection_reason == found.rejection_reasons[0]["reason"]
    clock.advance(7 * 86_400 - 1)
    sample = {"production_message_sample": ASKED["production_message_sample"], "edit_reason": "A better sample"}
    again = client.messaging.v1.tollfree_verifications(made.sid).update(**sample)
    assert (again.status, again.business_name, again.edit_expiration) == ("PENDING_REVIEW", "Acme", None)
    decide(server)
    found = made.fetch()
    assert (found.status, found.rejection_reason) == ("TWILIO_APPROVED", None)
    assert outcome(server, client.messages.create(**message)) == ("delivered", None)
    edit = client.messaging.v1.tollfree_verifications(made.sid)
    assert refusal(lambda: edit.update(business_name="Other")) == (400, 20001)


def test_it_can_be_edited_for_seven_days(server: Server, client: Client, clock: ManualClock, number: str) -> None:
    tell(server, verdict="reject", reason="Nobody answers there.")
    made = submit(client, number)
    decide(server)
    found = made.fetch()
    assert (found.error_code, found.rejection_reason) == (None, "Nobody answers there.")
    clock.advance(7 * 86_400)
    assert made.fetch().edit_allowed is False
    edit = client.messaging.v1.tollfree_verifications(made.sid)
    assert refusal(lambda: edit.update(business_name="Other")) == (400, 20001)
    assert edit.delete()
    assert refusal(edit.fetch) == (404, 20404)
    assert submit(client, number).status == "PENDING_REVIEW"


def test_a_list_chooses(server: Server, client: Client, numbers: Iterator[str]) -> None:
    tell(server, verdict="hold")
    every = client.messaging.v1.tollfree_verifications
    of = [next(numbers) for _ in range(3)]
    made = [submit(client, each, external_reference_id=f"listed-{each}").sid for each in of]
    assert [found.sid for found in every.list(page_size=2)][:3] == made[::-1]
    assert [found.sid for found in every.list(tollfree_phone_number_sid=of[1])] == [made[1]]
    assert [found.sid for found in every.list(external_reference_id=f"listed-{of[2]}")] == [made[2]]
    assert set(made) <= {found.sid for found in every.list(status="PENDING_REVIEW")}
    assert every.list(status="IN_REVIEW") == []
    assert every.list(trust_product_sid=["BU" + "1" * 32]) == []
    assert len(every.list(trust_product_sid=[""])) == len(every.list()) > 0
    asked = ask(server, "GET", "/messaging/v1/Tollfree/Verifications", params={"IncludeSubAccounts": "true"})
    assert (asked.status_code, asked.json()["code"]) == (400, 20001)


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: [] if isinstance(value, list) else ""} for name, value in ASKED.items()),
        {"use_case_categories": ["SPAM"]},
        {"opt_in_type": "NONE"},
        {"opt_in_image_urls": ["ftp://acme.example/opt-in.png"]},
        {"business_contact_phone": "Ada"},
        {"business_type": "LARGE"},
        {"vetting_provider": "AEGIS"},
        {"business_name": "x" * 2001},
        {"customer_profile_sid": "BN" + "1" * 32},
    ],
)
def test_what_is_no_verification(client: Client, number: str, wrong: dict[str, Any]) -> None:
    assert refusal(lambda: submit(client, number, **wrong)) == (400, 20001)
    assert client.messaging.v1.tollfree_verifications.list(tollfree_phone_number_sid=number) == []


def test_a_number_has_one_verification_and_is_toll_free(server: Server, client: Client, number: str) -> None:
    submit(client, number)
    assert refusal(lambda: submit(client, number)) == (400, 20001)
    local = own(server, "+14155550160")
    assert refusal(lambda: submit(client, local)) == (400, 30436)
    assert refusal(lambda: submit(client, "PN" + "0" * 32)) == (400, 30436)
    assert refusal(lambda: submit(client, "PN")) == (400, 30436)
