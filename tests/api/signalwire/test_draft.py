"""What a client asks to send, parameter by parameter."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from parley.api.http.endpoint import Call
from parley.api.http.fault import Fault
from parley.api.signalwire.draft import PARAMETERS, read_draft
from parley.api.signalwire.problems import Invalid
from parley.core.send import Draft
from parley.webhooks.guard import Guard
from tests.api.signalwire.values import ACCOUNT

GUARD = Guard()
GOOD: dict[str, Any] = {"to": "+15559876543", "from": "+15551234567", "body": "Hello"}


def read(given: Any, **headers: str) -> Draft:
    named = {name.replace("_", "-").encode(): value.encode("latin-1") for name, value in headers.items()}
    scope: Any = {"type": "http", "path": "/", "query_string": b"", "scheme": "http"}
    return read_draft(Call(scope, named, ACCOUNT, given if isinstance(given, bytes) else json.encode(given)), GUARD)


def problems(given: Any, **headers: str) -> list[tuple[str, str | None]]:
    with pytest.raises(Invalid) as refused:
        read(given, **headers)
    return [(problem.code, problem.attribute) for problem in refused.value.problems]


def test_the_guides_example() -> None:
    draft = read(GOOD)
    assert (draft.recipient, draft.sender, draft.body) == ("+15559876543", "+15551234567", "Hello")
    assert (draft.dialect, draft.most_media, draft.direction) == ("signalwire", 8, "outbound-api")
    assert (draft.media_urls, draft.as_mms, draft.extras, draft.idempotency) == ((), False, None, None)


def test_everything_given() -> None:
    draft = read(
        GOOD
        | {
            "media": ["https://cdn.example/a.png", "http://cdn.example/b.pdf"],
            "send_as_mms": True,
            "status_callback": "https://app.example/status#rc=2",
            "custom_variables": {"order": "42"},
        }
    )
    assert draft.media_urls == ("https://cdn.example/a.png", "http://cdn.example/b.pdf")
    assert draft.as_mms
    assert draft.status_callback == "https://app.example/status#rc=2"
    assert draft.extras == '{"custom_variables":{"order":"42"}}'


def test_null_is_not_given() -> None:
    nothing = dict.fromkeys(PARAMETERS - GOOD.keys())
    assert read(GOOD | nothing) == read(GOOD)


def test_media_by_its_other_name() -> None:
    assert read(GOOD | {"media_urls": ["https://cdn.example/a.pdf"]}).media_urls == ("https://cdn.example/a.pdf",)


URL = "https://cdn.example/a.png"
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"to": None}, "missing_required_parameter", "to"),
    ({"to": ""}, "missing_required_parameter", "to"),
    ({"to": 15559876543}, "not_a_string", "to"),
    ({"to": "banana"}, "invalid_to_number", "to"),
    ({"to": "5559876543"}, "invalid_to_number", "to"),
    ({"to": "+1 (555) 987-6543"}, "invalid_to_number", "to"),
    ({"to": "+123456789012345678"}, "invalid_to_number", "to"),
    ({"to": "+0123456789"}, "invalid_to_number", "to"),
    ({"to": "whatsapp:+15559876543"}, "feature_not_available", "to"),
    ({"to": "whatsapp:x"}, "feature_not_available", "to"),
    ({"from": None}, "missing_required_parameter", "from"),
    ({"from": ["+15551234567"]}, "not_a_string", "from"),
    ({"from": "ACME"}, "invalid_from_number", "from"),
    ({"from": "1234"}, "invalid_from_number", "from"),
    ({"from": "+1555"}, "invalid_from_number", "from"),
    ({"from": "WhatsApp:+15551234567"}, "feature_not_available", "from"),
    ({"body": 5}, "not_a_string", "body"),
    ({"body": None}, "body_or_media_required", "body"),
    ({"body": ""}, "body_or_media_required", "body"),
    ({"body": "", "media": []}, "body_or_media_required", "body"),
    ({"body": "x" * 1601}, "character_limit_exceeded", "body"),
    ({"media": URL}, "not_an_array_of_strings", "media"),
    ({"media": [5]}, "not_an_array_of_strings", "media"),
    ({"media": [URL] * 9}, "media_limit_exceeded", "media"),
    ({"media": ["ftp://cdn.example/a.png"]}, "invalid_media_url", "media"),
    ({"media": [""]}, "invalid_media_url", "media"),
    ({"media": ["http://127.0.0.1/a.png"]}, "url_is_unsafe", "media"),
    ({"media_urls": [5]}, "not_an_array_of_strings", "media_urls"),
    ({"media": [URL], "media_urls": [URL]}, "incompatible_parameters", "media_urls"),
    ({"send_as_mms": "true"}, "not_a_boolean", "send_as_mms"),
    ({"send_as_mms": 1}, "not_a_boolean", "send_as_mms"),
    ({"status_callback": 5}, "not_a_string", "status_callback"),
    ({"status_callback": ""}, "not_an_http_url", "status_callback"),
    ({"status_callback": "app.example/status"}, "not_an_http_url", "status_callback"),
    ({"status_callback": "https://"}, "not_an_http_url", "status_callback"),
    ({"status_callback": "http://169.254.169.254/latest"}, "url_is_unsafe", "status_callback"),
    ({"status_callback": "http://[::1]/"}, "url_is_unsafe", "status_callback"),
    ({"custom_variables": ["a"]}, "must_be_object", "custom_variables"),
    ({"custom_variables": {f"k{n}": "v" for n in range(21)}}, "too_many_custom_variables", "custom_variables"),
    ({"custom_variables": {"1a": "v"}}, "invalid_custom_variable_name", "custom_variables.1a"),
    ({"custom_variables": {"": "v"}}, "invalid_custom_variable_name", "custom_variables."),
    ({"custom_variables": {"SW_x": "v"}}, "reserved_custom_variable_name", "custom_variables.SW_x"),
    ({"custom_variables": {"internal_x": "v"}}, "reserved_custom_variable_name", "custom_variables.internal_x"),
    ({"custom_variables": {"a": 5}}, "invalid_custom_variable_value", "custom_variables.a"),
    ({"custom_variables": {"a": ""}}, "invalid_custom_variable_value", "custom_variables.a"),
    ({"custom_variables": {"a": "é" * 513}}, "custom_variable_value_too_long", "custom_variables.a"),
    ({"message_type": "text"}, "feature_not_available", "message_type"),
    ({"template_id": "x"}, "feature_not_available", "template_id"),
    ({"region": "us"}, "invalid_parameter", "region"),
    ({"x" * 5000: 1}, "invalid_parameter", "x" * 100),
]


@pytest.mark.parametrize(("change", "code", "attribute"), WRONG)
def test_each_error(change: dict[str, Any], code: str, attribute: str) -> None:
    assert problems(GOOD | change) == [(code, attribute)]


def test_all_errors_at_once() -> None:
    wrong = {"to": "x", "from": "+1", "media": "a", "send_as_mms": "no", "status_callback": "b", "nonsense": 1}
    assert problems(wrong) == [
        ("invalid_parameter", "nonsense"),
        ("invalid_to_number", "to"),
        ("invalid_from_number", "from"),
        ("not_an_array_of_strings", "media"),
        ("not_a_boolean", "send_as_mms"),
        ("not_an_http_url", "status_callback"),
    ]
    assert problems({}) == [
        ("missing_required_parameter", "to"),
        ("missing_required_parameter", "from"),
        ("body_or_media_required", "body"),
    ]


@pytest.mark.parametrize("to", ["988", "+988", "12345", "+12345", "+12345678901234567"])
def test_short_and_long_recipients_pass(to: str) -> None:
    assert read(GOOD | {"to": to}).recipient == to


def test_idempotency_keys() -> None:
    first = read(GOOD, idempotency_key="k1").idempotency
    assert first is not None
    assert first.key == "signalwire:k1"
    assert read(GOOD, i_twilio_idempotency_token="k1").idempotency == first
    assert read(GOOD, i_twilio_idempotency_token="k1", idempotency_key="k1").idempotency == first
    other = read(GOOD | {"body": "other"}, idempotency_key="k1").idempotency
    assert other is not None
    assert (other.key, other.fingerprint == first.fingerprint) == (first.key, False)
    assert problems(GOOD, idempotency_key="a", i_twilio_idempotency_token="b")[0][0] == "incompatible_parameters"
    for key in ("", " ", "x" * 256, "é", "a\tb"):
        assert problems(GOOD, idempotency_key=key) == [("invalid_parameter", "Idempotency-Key")]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(PARAMETERS)) | st.text(max_size=8), _VALUES, max_size=8))
def test_any_object_is_a_draft_or_refused(given: dict[str, Any]) -> None:
    try:
        draft = read(given)
    except Fault:
        return
    assert draft.body or draft.media_urls


@given(st.binary(max_size=200))
def test_any_octets_are_refused(body: bytes) -> None:
    with pytest.raises(Fault):
        read(body)
