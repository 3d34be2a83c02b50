"""The measuring stick itself: it takes a true answer, and finds each kind of untruth."""

from typing import Any

import pytest

from tests.openapi import validate_answer, validate_signalwire_answer

ACCOUNT = "AC" + "0" * 32
SID = "SM" + "1" * 32
MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"


def twilio_message(**changes: Any) -> dict[str, Any]:
    return {
        "account_sid": ACCOUNT,
        "api_version": "2010-04-01",
        "body": "Hello",
        "date_created": "Sat, 21 Nov 2026 05:40:00 +0000",
        "date_sent": None,
        "date_updated": "Sat, 21 Nov 2026 05:40:00 +0000",
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": "+15551234567",
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": SID,
        "status": "queued",
        "subresource_uris": {"media": f"{MESSAGES.removesuffix('.json')}/{SID}/Media.json"},
        "to": "+15557654321",
        "uri": f"{MESSAGES.removesuffix('.json')}/{SID}.json",
    } | changes


def twilio_page(**changes: Any) -> dict[str, Any]:
    return {
        "end": 0,
        "first_page_uri": f"{MESSAGES}?PageSize=50&Page=0",
        "messages": [twilio_message()],
        "next_page_uri": None,
        "page": 0,
        "page_size": 50,
        "previous_page_uri": None,
        "start": 0,
        "uri": f"{MESSAGES}?PageSize=50&Page=0",
    } | changes


def signalwire_message(**changes: Any) -> dict[str, Any]:
    return {
        "id": "0190a6b0-0000-7000-8000-000000000000",
        "from": "+15551234567",
        "to": "+15557654321",
        "body": "Hello",
        "status": "queued",
        "direction": "outbound",
        "kind": "sms",
        "media": [],
        "number_of_segments": 1,
        "error_code": None,
        "error_message": None,
        "created_at": "2026-11-21T05:40:00Z",
        "project_id": "0190a6b0-0000-7000-8000-000000000001",
        "status_callback_url": None,
        "message_uri": "/api/messaging/logs/0190a6b0-0000-7000-8000-000000000000",
    } | changes


def test_true_answers_pass() -> None:
    validate_answer("POST", MESSAGES, 201, twilio_message())
    validate_answer("POST", "/2010-04-01/Accounts/{AccountSid}/Messages.json", 201, twilio_message())
    validate_answer("GET", MESSAGES, 200, twilio_page())
    validate_answer("GET", f"{MESSAGES}?PageSize=1", 200, twilio_page(messages=[]))
    validate_answer("DELETE", f"{MESSAGES.removesuffix('.json')}/{SID}.json", 204, None)
    error = {"code": 21211, "message": "No.", "more_info": "https://www.twilio.com/docs/errors/21211", "status": 400}
    validate_answer("POST", MESSAGES, 400, error)
    validate_signalwire_answer("POST", "/api/messaging/messages", 201, signalwire_message())
    validate_signalwire_answer(
        "PATCH", f"/api/messaging/messages/{signalwire_message()['id']}", 404, {"error": "Not Found"}
    )
    item = {"type": "validation_error", "code": "not_e164", "message": "No.", "url": "https://signalwire.com/docs"}
    validate_signalwire_answer("POST", "/api/messaging/messages", 422, {"errors": [item, item | {"attribute": "to"}]})


@pytest.mark.parametrize(
    "changes",
    [
        {"surprise": 1},
        {"date_created": "2026-11-21T05:40:00Z"},
        {"date_created": "Fri, 21 Nov 2026 05:40:00 +0000"},
        {"date_created": "Sat, 21 Nov 2026 05:40:00 GMT"},
        {"num_segments": 1},
        {"price_unit": "Usd"},
        {"sid": "SM1"},
        {"status": "initiated"},
        {"status": None},
        {"subresource_uris": {"media": None}},
    ],
    ids=str,
)
def test_an_untrue_message_of_twilio_s_is_found(changes: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match=next(iter(changes))):
        validate_answer("POST", MESSAGES, 201, twilio_message(**changes))
    with pytest.raises(AssertionError, match=r"messages\.0"):
        validate_answer("GET", MESSAGES, 200, twilio_page(messages=[twilio_message(**changes)]))


@pytest.mark.parametrize("name", sorted(twilio_message()))
def test_what_twilio_s_message_leaves_out_is_found(name: str) -> None:
    body = {key: value for key, value in twilio_message().items() if key != name}
    with pytest.raises(AssertionError, match=f"'{name}' is a required property"):
        validate_answer("POST", MESSAGES, 201, body)


@pytest.mark.parametrize(
    "changes",
    [
        {"surprise": 1},
        {"created_at": "2026-11-21 05:40"},
        {"id": "0190A6B0-0000-7000-8000-000000000000"},
        {"media": ["not a url"]},
        {"number_of_segments": "1"},
        {"status": "sending"},
    ],
    ids=str,
)
def test_an_untrue_message_of_signalwire_s_is_found(changes: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match=next(iter(changes))):
        validate_signalwire_answer("POST", "/api/messaging/messages", 201, signalwire_message(**changes))


def test_an_answer_that_is_not_described_is_found() -> None:
    with pytest.raises(AssertionError, match="200 is not among"):
        validate_answer("POST", MESSAGES, 200, twilio_message())
    with pytest.raises(AssertionError, match="a body where none"):
        validate_answer("DELETE", f"{MESSAGES.removesuffix('.json')}/{SID}.json", 204, {})
    error = {"code": 21211, "message": "No.", "more_info": "https://www.twilio.com/docs/errors/21211", "status": 400}
    with pytest.raises(AssertionError, match="400 in the body, 404"):
        validate_answer("GET", MESSAGES, 404, error)
    with pytest.raises(LookupError):
        validate_answer("PUT", MESSAGES, 200, {})
    with pytest.raises(LookupError):
        validate_answer("GET", "/2010-04-01/Nowhere.json", 200, {})
