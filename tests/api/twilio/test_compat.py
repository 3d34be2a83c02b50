"""docs/compat/twilio*.csv say what becomes of each parameter that Twilio describes, and the server does as they say."""

import csv
import json
import re
from itertools import count
from pathlib import Path
from typing import Final

import pytest
import requests

from parley.api.http.products import PRODUCTS
from tests.api.twilio.client import Raw, ask, client_of
from tests.openapi import SPECS, document_of
from tests.server import Server

TABLES: Final = sorted((Path(__file__).parents[3] / "docs" / "compat").glob("twilio*.csv"))
ROWS: Final = [row for table in TABLES for row in csv.DictReader(table.read_text().splitlines())]
UNDESCRIBED: Final = {
    "MessageIntent",
    "Page",
    "PageSize",
    "PageToken",
    "Tags",
    "GET /2010-04-01/Accounts/{AccountSid}/Messages/{MessageSid}/Media/{Sid}",  # the octets
    "GET /messaging/v1/Deactivations/{token}",  # the list that Deactivations leads to
}
"""What Twilio's document leaves out, everywhere or of some operations."""

PREFIXES: Final = ("/2010-04-01/", *(f"/{product}/" for product in PRODUCTS))
CREATE: Final = "POST /2010-04-01/Accounts/{AccountSid}/Messages.json"
SEND: Final = {"To": "+15550006001", "From": "+15551234567", "Body": "x"}
RIGHT: Final = {
    CREATE: SEND,
    "POST /2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers.json": {"PhoneNumber": "+15557654321"},
    "POST /2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/Local.json": {"PhoneNumber": "+15557654321"},
    "POST /2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/Mobile.json": {"PhoneNumber": "+447400123456"},
    "POST /2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/TollFree.json": {"PhoneNumber": "+18005550100"},
    "POST /2010-04-01/Accounts/{AccountSid}/OutgoingCallerIds.json": {"PhoneNumber": "+1415555####"},
    "POST /messaging/v1/Services": {"FriendlyName": "x"},
    "POST /messaging/v1/Services/PreregisteredUsa2p": {"CampaignId": "C", "MessagingServiceSid": "{Services}"},
}
"""What an operation needs, where it needs anything; #### stands for digits that no other request has, and a name in
braces for the SID of something in that collection."""
SAMPLES: Final = {
    "AccountSid": "AC" + "f" * 32,
    "AddressRetention": "obfuscate",
    "AddressSid": "AD" + "1" * 32,
    "ApiVersion": "2010-04-01",
    "ApplicationSid": "AP" + "1" * 32,
    "Attempt": "2",
    "BundleSid": "BU" + "1" * 32,
    "CallDelay": "5",
    "CnpMigration": "true",
    "ContentRetention": "discard",
    "ContentSid": "HX" + "1" * 32,
    "ContentVariables": '{"1":"x"}',
    "Distance": "100",
    "EmergencyAddressSid": "AD" + "1" * 32,
    "EmergencyStatus": "Active",
    "FallbackFrom": "+15551234567",
    "FallbackToLongCode": "true",
    "ForceDelivery": "true",
    "IdentitySid": "RI" + "1" * 32,
    "IncludeSubAccounts": "true",
    "MaxPrice": "0.5",
    "MessageIntent": "otp",
    "MessagingServiceSid": "MG" + "1" * 32,
    "MmsConverter": "true",
    "Page": "1",
    "PageSize": "5",
    "PersistentAction": "geo:37.787890,-122.391664",
    "RiskCheck": "disable",
    "ScanMessageContent": "enable",
    "PublicApplicationConnectEnabled": "true",
    "ScheduleType": "fixed",
    "SendAt": "2030-01-01T00:00:00Z",
    "ShortenUrls": "true",
    "SmartEncoded": "true",
    "StatusCallback": "https://example.com/status",
    "StatusCallbackMethod": "POST",
    "SynchronousValidation": "true",
    "Tags": '{"a":"b"}',
    "TrafficType": "free",
    "TrunkSid": "TK" + "1" * 32,
    "Usecase": "marketing",
    "VoiceCallerIdLookup": "true",
    "VoiceFallbackMethod": "GET",
    "VoiceFallbackUrl": "https://example.com/voice",
    "VoiceMethod": "GET",
    "VoiceReceiveMode": "fax",
    "VoiceUrl": "https://example.com/voice",
}


_digits = count()


def of_status(status: str) -> list[tuple[str, str, str]]:
    return [(row["operation"], row["parameter"], row["code"]) for row in ROWS if row["status"] == status]


@pytest.fixture(scope="module")
def sids(server: Server) -> dict[str, str]:
    """Return the SID of something in each collection that a path may lead into."""
    client = client_of(server)
    [number] = client.incoming_phone_numbers.list(phone_number="+15557654321")
    client.messages.create(to="+15550006002", from_="55544", body="a short code by its first use")
    return {
        "Accounts": server.account_sid,
        "Applications": str(client.applications.create().sid),
        "AvailablePhoneNumbers": "US",
        "IncomingPhoneNumbers": str(number.sid),
        "PhoneNumbers": "+14155552671",
        "ShortCodes": next(str(each.sid) for each in client.short_codes.list()),
        "Services": str(client.messaging.v1.services.create(friendly_name="x").sid),
    }


def asked(server: Server, operation: str, parameter: str, sids: dict[str, str]) -> requests.Response:
    """Make a request that is right but for the one parameter."""
    method, template = operation.split(" ")
    path = re.sub(r"/(\w+)/\{\w+\}", lambda found: f"/{found[1]}/{sids[found[1]]}", template)
    right = {
        name: value.replace("####", f"{next(_digits):04}").format(**sids)
        for name, value in RIGHT.get(operation, {}).items()
    }
    given = {**right, parameter: SAMPLES.get(parameter, "x")}
    return ask(server, method, path, **{"params" if method == "GET" else "data": given})


def described(operation: str) -> set[str]:
    method, path = operation.split(" ")
    document, path = document_of(path)
    described = json.loads((SPECS / f"{document}.json").read_text())
    found, schemas = described["paths"][path][method.lower()], described["components"]["schemas"]
    shared = described["components"].get("parameters", {})
    parameters = [shared[p["$ref"].rpartition("/")[2]] if "$ref" in p else p for p in found.get("parameters", [])]
    names = {f"{{{p['name']}}}" if p["in"] == "path" else p["name"] for p in parameters}
    for content in found.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        whole = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        names |= set(whole["properties"])
    return names


@pytest.mark.parametrize("operation", sorted({row["operation"] for row in ROWS}))
def test_each_parameter_of_an_operation_is_listed_once(operation: str) -> None:
    listed = [row["parameter"] for row in ROWS if row["operation"] == operation and row["parameter"]]
    assert len(listed) == len(set(listed))
    assert set(listed) == described(operation) | (UNDESCRIBED & set(listed))


def test_each_operation_that_is_served_is_listed(server: Server) -> None:
    served = [route for route in server.app.surface.routes if route.path.startswith(PREFIXES)]
    operations = {f"{method} {route.path}" for route in served for method in (route.methods or set()) - {"HEAD"}}
    assert operations - UNDESCRIBED == {row["operation"] for row in ROWS}


def test_the_table_is_sound() -> None:
    for row in ROWS:
        assert row["status"] in ("supported", "ignored", "refused")
        assert bool(row["code"]) == (row["status"] == "refused")
        assert row["status"] == "supported" or row["note"]


@pytest.mark.parametrize(("operation", "parameter", "code"), of_status("refused"))
def test_what_is_refused(server: Server, sids: dict[str, str], operation: str, parameter: str, code: str) -> None:
    answer = asked(server, operation, parameter, sids)
    assert (answer.status_code, answer.json()["code"]) == (400, int(code))


@pytest.mark.parametrize(("operation", "parameter", "code"), of_status("ignored"))
def test_what_is_ignored(server: Server, sids: dict[str, str], operation: str, parameter: str, code: str) -> None:
    assert asked(server, operation, parameter, sids).ok


@pytest.mark.parametrize("parameter", ["ShortenUrls", "ContentRetention", "AddressRetention", "ScheduleType"])
def test_their_harmless_values_are_taken(server: Server, parameter: str) -> None:
    harmless = {"ShortenUrls": "false", "ContentRetention": "retain", "AddressRetention": "retain", "ScheduleType": ""}
    assert Raw(server).message(**SEND, **{parameter: harmless[parameter]}).status_code == 201
