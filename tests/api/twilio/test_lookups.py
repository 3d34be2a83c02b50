"""Numbers looked up through the official client, by both versions of the API."""

from typing import Any

import pytest
from twilio.rest import Client

from tests.api.twilio.client import ask, client_of, refusal
from tests.server import Server

NUMBER = "+14155552671"
NO_DATA = (
    "caller_name",
    "sim_swap",
    "call_forwarding",
    "line_status",
    "identity_match",
    "reassigned_number",
    "sms_pumping_risk",
    "phone_number_quality_score",
    "pre_fill",
)


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


@pytest.mark.parametrize(
    ("asked", "country_code", "e164", "national", "calling_code", "country"),
    [
        (NUMBER, None, NUMBER, "(415) 555-2671", "1", "US"),
        ("(415) 555-2671", None, NUMBER, "(415) 555-2671", "1", "US"),
        ("020 7183 8750", "GB", "+442071838750", "020 7183 8750", "44", "GB"),
        ("0412 345 678", "au", "+61412345678", "0412 345 678", "61", "AU"),
    ],
)
def test_a_number_is_written_properly(
    client: Client, asked: str, country_code: str | None, e164: str, national: str, calling_code: str, country: str
) -> None:
    given = {} if country_code is None else {"country_code": country_code}
    found = client.lookups.v2.phone_numbers(asked).fetch(**given)
    assert (found.phone_number, found.national_format) == (e164, national)
    assert (found.calling_country_code, found.country_code) == (calling_code, country)
    assert (found.valid, found.validation_errors) == (True, [])
    older = client.lookups.v1.phone_numbers(asked).fetch(**given)
    assert (older.phone_number, older.national_format, older.country_code) == (e164, national, country)
    assert (older.carrier, older.caller_name, older.add_ons) == (None, None, None)


def test_a_number_of_no_country_has_none(client: Client) -> None:
    found = client.lookups.v2.phone_numbers("+80012345678").fetch()
    assert (found.valid, found.calling_country_code, found.country_code) == (True, "800", None)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ("+1415555", "TOO_SHORT"),
        ("+141555526711111", "TOO_LONG"),
        ("+15555550100", "INVALID_BUT_POSSIBLE"),
        ("+999123456789", "INVALID_COUNTRY_CODE"),
        ("hello", "NOT_A_NUMBER"),
        ("x" * 5000, "NOT_A_NUMBER"),
    ],
)
def test_what_is_wrong_with_a_number_is_said(client: Client, asked: str, problem: str) -> None:
    found = client.lookups.v2.phone_numbers(asked).fetch(fields="line_type_intelligence")
    assert (found.valid, found.validation_errors) == (False, [problem])
    assert refusal(client.lookups.v1.phone_numbers(asked).fetch) == (404, 20404)


@pytest.mark.parametrize(
    ("asked", "kind", "older"),
    [
        (NUMBER, "mobile", "mobile"),
        ("+18005552671", "tollFree", None),
        ("+447400123456", "mobile", "mobile"),
        ("+442071838750", "landline", "landline"),
        ("+445631231234", "nonFixedVoip", "voip"),
        ("+449012345678", "premium", None),
    ],
)
def test_the_digits_tell_the_kind_of_line(client: Client, asked: str, kind: str, older: str | None) -> None:
    found: Any = client.lookups.v2.phone_numbers(asked).fetch(fields="validation,line_type_intelligence")
    assert found.line_type_intelligence == {
        "type": kind,
        "carrier_name": None,
        "mobile_country_code": None,
        "mobile_network_code": None,
        "error_code": None,
    }
    carrier: Any = client.lookups.v1.phone_numbers(asked).fetch(type=["carrier"]).carrier
    assert (carrier["type"], carrier["name"]) == (older, None)
    assert carrier["error_code"] == (None if older else 60600)


def test_packages_that_nobody_has_data_for_say_so(client: Client) -> None:
    plain = client.lookups.v2.phone_numbers(NUMBER).fetch()
    assert {getattr(plain, name) for name in (*NO_DATA, "line_type_intelligence")} == {None}
    asked: Any = client.lookups.v2.phone_numbers(NUMBER).fetch(fields=",".join(NO_DATA), first_name="Ada")
    for name in NO_DATA:
        package = getattr(asked, name)
        assert int(package.pop("error_code")) == 60607
        assert set(package.values()) <= {None}
    older: Any = client.lookups.v1.phone_numbers(NUMBER).fetch(type=["caller-name"])
    assert older.caller_name == {"caller_name": None, "caller_type": None, "error_code": 60600}


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("v2", {"Fields": "shoe_size"}),
        ("v2", {"CountryCode": "XX"}),
        ("v2", {"ShoeSize": "44"}),
        ("v1", {"Type": "shoe"}),
        ("v1", {"CountryCode": "USA"}),
    ],
)
def test_what_is_not_understood_is_refused(server: Server, path: str, given: dict[str, str]) -> None:
    answer = ask(server, "GET", f"/lookups/{path}/PhoneNumbers/{NUMBER}", params=given)
    assert (answer.status_code, answer.json()["code"]) == (400, 20001)


def test_a_client_that_keeps_the_host_is_served_too(server: Server) -> None:
    answer = ask(server, "GET", f"/v2/PhoneNumbers/{NUMBER}", headers={"Host": "lookups.twilio.com"})
    assert answer.json()["url"].endswith(f"://lookups.twilio.com/v2/PhoneNumbers/%2B{NUMBER[1:]}")
