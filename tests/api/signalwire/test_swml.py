"""What answers to an inbound webhook ask for."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.api.signalwire.swml import read_document
from parley.webhooks.render import Say, UnreadableAnswer


def read(document: Any, kind: str = "application/json") -> Any:
    return read_document(kind, json.dumps(document).encode())


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (None, b""),
        ("application/json", b" \n"),
        ("application/json", b'{"status":"received"}'),
        ("application/json", b'{"status":"ok","reply_to":"x"}'),
        ("application/json", b"[]"),
        ("application/json", b"null"),
        ("text/plain; charset=utf-8", b"OK"),
        ("text/html", b"<p>Thank you</p>"),
        (None, b"\xff\xfe"),
        ("application/json", b'{"receive":{}}'),
        ("application/json", b'{"version":"1.0.0","sections":{"main":[]}}'),
        ("application/json", b'{"sections":{"main":["receive",{"return":1},{"reply":"not reached"}]}}'),
    ],
)
def test_nothing_to_do(kind: str | None, body: bytes) -> None:
    assert read_document(kind, body) == []


def test_a_fault_is_told_without_what_no_record_takes() -> None:
    with pytest.raises(UnreadableAnswer) as raised:
        read({"sections": {"main": [{"nul\0": {}}]}})
    assert raised.value.reason == "swml_unsupported_method: nul\N{REPLACEMENT CHARACTER} is not supported yet"


def test_reply_as_text() -> None:
    assert read({"reply": "Hello"}) == [Say("Hello")]


def test_reply_in_full() -> None:
    reply = {
        "body": "Hi",
        "media": ["https://a.example/x.png"],
        "to": "+15550001111",
        "from": "+15550002222",
        "status_url": "https://a.example/status",
    }
    said = Say(
        "Hi",
        ("https://a.example/x.png",),
        to="+15550001111",
        sender="+15550002222",
        status_callback="https://a.example/status",
    )
    assert read({"reply": reply}) == [said]
    assert read({"sections": {"main": [{"reply": reply}, {"reply": "more"}]}}) == [said, Say("more")]


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ({"reply": "a", "receive": {}}, "swml_invalid_document"),
        ({"reply": 5}, "swml_invalid_document"),
        ({"reply": {"body": 5}}, "swml_invalid_document"),
        ({"reply": {"text": "a"}}, "swml_invalid_document"),
        ({"reply": {"body": "a", "media": "https://a.example/x"}}, "swml_invalid_document"),
        ({"reply": "nul \0"}, "swml_invalid_document"),
        ({"reply": {}}, "swml_reply_body_or_media_required"),
        ({"reply": ""}, "swml_reply_body_or_media_required"),
        ({"reply": {"media": ["https://a.example/x"] * 9}}, "swml_reply_media_limit_exceeded"),
        ({"reply": {"switch": {"variable": "x", "case": {}}}}, "swml_unsupported_method"),
        ({"reply": "You said %{message.body}"}, "swml_unsupported_method"),
        ({"sections": {}}, "swml_missing_entry_point"),
        ({"sections": []}, "swml_missing_entry_point"),
        ({"sections": {"main": {}}}, "swml_invalid_section_format"),
        ({"sections": {"main": [5]}}, "swml_invalid_section_format"),
        ({"sections": {"main": [{"reply": "a", "return": 1}]}}, "swml_invalid_section_format"),
        ({"sections": {"main": [{"request": {"url": "https://a.example"}}]}}, "swml_unsupported_method"),
        ({"sections": {"main": [{"send_sms": {}}]}}, "swml_unsupported_method"),
    ],
)
def test_what_cannot_be_carried_out_is_refused_by_name(document: Any, word: str) -> None:
    with pytest.raises(UnreadableAnswer) as refused:
        read(document)
    assert refused.value.reason.startswith(f"{word}: ")


@pytest.mark.parametrize(
    ("kind", "body", "word"),
    [
        ("application/json", b"{", "swml_invalid_document"),
        ("application/yaml", b"reply: hi", "json_or_yaml_required"),
        ("text/plain", b"version: 1.0.0\nreply: hi\n", "json_or_yaml_required"),
        ("text/x-yaml", b"- a", "json_or_yaml_required"),
        ("application/json", b"[" * 100_000, "swml_invalid_document"),
    ],
)
def test_unreadable(kind: str, body: bytes, word: str) -> None:
    with pytest.raises(UnreadableAnswer) as refused:
        read_document(kind, body)
    assert refused.value.reason.startswith(word)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["reply", "receive", "sections", "main", "body", "media", "to", "x"]), inner)
    ),
    max_leaves=12,
)


@given(_JSON)
def test_any_json_is_read_or_refused(document: Any) -> None:
    try:
        verbs = read(document)
    except UnreadableAnswer:
        return
    assert all(isinstance(verb, Say) for verb in verbs)


@given(st.binary(max_size=200), st.sampled_from([None, "application/json", "text/plain", "application/yaml"]))
def test_any_octets_are_read_or_refused(body: bytes, kind: str | None) -> None:
    try:
        read_document(kind, body)
    except UnreadableAnswer:
        return
