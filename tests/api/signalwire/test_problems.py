"""Each reason has its code, in each of the two shapes."""

import json
from typing import Any, get_args

import pytest

from parley.api.http.fault import Fault, Kind
from parley.api.signalwire import failures
from parley.api.signalwire.problems import Invalid, Problem, explain, explain_relay
from parley.core.refusal import Reason, Refused
from tests.openapi import validate_signalwire_answer

SCOPE: Any = {"type": "http", "path": "/api/messaging/messages"}
CODES = {
    "account_suspended": "sending_disabled_for_space",
    "body_missing": "body_or_media_required",
    "body_too_long": "character_limit_exceeded",
    "funds_spent": "insufficient_balance_to_send_message",
    "channels_differ": "not_routeable",
    "country_not_enabled": "destination_number_not_supported",
    "key_reused": "invalid_parameter",
    "media_limit_exceeded": "media_limit_exceeded",
    "media_url_invalid": "invalid_media_url",
    "in_progress": "cannot_redact_in_progress_message",
    "opted_out": "number_blacklisted",
    "queue_full": "message_backlog_limit_exceeded",
    "recipient_invalid": "invalid_to_number",
    "recipient_is_sender": "invalid_to_number",
    "recipient_missing": "missing_required_parameter",
    "recipient_not_mobile": "not_routeable",
    "recipient_unroutable": "not_routeable",
    "sender_cannot_mms": "missing_messaging_capability",
    "sender_cannot_sms": "missing_messaging_capability",
    "sender_invalid": "invalid_from_number",
    "sender_missing": "missing_required_parameter",
    "sender_not_owned": "invalid_from_number",
    "sender_of_another_account": "invalid_from_number",
    "status_callback_invalid": "not_an_http_url",
}


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_reason_of_the_core_is_explained(reason: Reason) -> None:
    reply = explain(Refused(reason, "+15551234567"), SCOPE)
    body = json.loads(reply.body)
    if reason == "not_found":
        assert (reply.status, body) == (404, {"error": "Not Found"})
        return
    assert reply.status == 422
    validate_signalwire_answer("POST", "/api/messaging/messages", 422, body)
    (item,) = body["errors"]
    assert item["code"] == CODES.get(reason, item["code"])
    assert item["url"].endswith(f"#{item['code']}")
    relay = json.loads(explain_relay(Refused(reason), SCOPE).body)["errors"][0]
    assert relay == {"detail": item["message"], "status": "422", "title": "Unprocessable Entity", "code": item["code"]}


@pytest.mark.parametrize(
    ("kind", "status", "phrase"),
    [
        ("malformed", 400, "Bad Request"),
        ("unauthorized", 401, "Unauthorized"),
        ("forbidden", 403, "Forbidden"),
        ("not_found", 404, "Not Found"),
        ("method_not_allowed", 405, "Method Not Allowed"),
        ("too_large", 413, "Payload Too Large"),
        ("unsupported_content_type", 415, "Unsupported Media Type"),
        ("internal", 500, "Internal Server Error"),
        ("unavailable", 503, "Service Unavailable"),
    ],
)
def test_faults_of_form(kind: Kind, status: int, phrase: str) -> None:
    for reply in (explain(Fault(kind, "why"), SCOPE), explain_relay(Fault(kind, "why"), SCOPE)):
        assert (reply.status, json.loads(reply.body)) == (status, {"error": phrase})


def test_all_that_is_wrong_is_told() -> None:
    wrong = [Problem("not_a_string", "to must be a string", "to"), Problem("invalid_from_number", "no", "from")]
    assert [item["attribute"] for item in json.loads(explain(Invalid(wrong), SCOPE).body)["errors"]] == ["to", "from"]


def test_every_kind_of_fault_has_a_phrase() -> None:
    for kind in get_args(Kind):
        explain(Fault(kind), SCOPE)


def test_failures_in_words() -> None:
    assert failures.word(None) is None
    assert failures.text(None, "x") is None
    assert failures.word(30003) == "unreachable_destination_handset"
    assert failures.word(99999) == "unknown_error"
    assert failures.text(30007, None) == "The carrier's filter stopped the message"
    assert failures.text(30034, None) == "Carrier violation"
    assert failures.word(11200) == "media_download_failed"
    assert failures.word(11210, is_inbound=True) == "http_retrieval_error"
    assert failures.word(14106, is_inbound=True) == "swml_invalid_document"
