"""What a message's or a number's extras say: read back as it was noted, whatever else they hold."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from parley.model.consent import MOST_KEYWORD, word_of
from parley.model.handler import script_of, url_of
from parley.model.laml import is_laml, marked
from parley.model.relay import Told, told_of
from parley.model.retention import noted, obfuscated

TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ['"laml":true', '","laml":true,"', "laml", "forget", "relay", '"relay":{"context":"x"}', "\\"]
)
# What anybody may have kept there: texts, and objects and lists of texts.
KEPT = st.dictionaries(
    TEXTS.filter(lambda key: key not in {"laml", "forget", "relay"}),
    TEXTS | st.lists(TEXTS, max_size=3) | st.dictionaries(TEXTS, TEXTS, max_size=3),
    max_size=4,
)


def spelled(kept: dict[str, Any]) -> str | None:
    return json.encode(kept).decode() if kept else None


@given(KEPT)
def test_nothing_that_is_kept_is_taken_for_a_word_of_ours(kept: dict[str, Any]) -> None:
    extras = spelled(kept)
    assert not is_laml(extras)
    assert told_of(extras) is None


@given(KEPT, st.booleans())
def test_what_is_said_of_the_spelling_is_read_and_taken_back_again(kept: dict[str, Any], is_so: bool) -> None:
    extras = spelled(kept)
    said = marked(extras, is_so=is_so)
    assert is_laml(said) is is_so
    assert marked(said, is_so=is_so) == said
    back = marked(said, is_so=False)
    assert (json.decode(back) if back else {}) == kept


@given(KEPT)
def test_notes_stand_beside_one_another(kept: dict[str, Any]) -> None:
    extras = spelled({**kept, "relay": {"context": "office", "to": "p1"}})
    for note in (marked, lambda it: noted(it, ["address"])):
        extras = note(extras)
    assert is_laml(extras)
    assert told_of(extras) == Told("office", "p1")
    assert json.decode(extras or "")["forget"] == ["address"]
    assert {key: value for key, value in json.decode(extras or "").items() if key in kept} == kept


def test_without_a_note_nothing_changes() -> None:
    assert noted(None, []) is None
    assert noted('{"a":1}', []) == '{"a":1}'
    assert marked(None, is_so=False) is None


@pytest.mark.parametrize(
    ("address", "hidden"),
    [
        ("+15551234567", "+1555123XXXX"),
        ("+1555123XXXX", "+1555123XXXX"),
        ("whatsapp:+15551234567", "whatsapp:+1555123XXXX"),
        ("988", "XXXX"),
    ],
)
def test_an_address_is_hidden_but_for_its_beginning(address: str, hidden: str) -> None:
    assert obfuscated(address) == hidden


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (" stop\r\n", "STOP"),
        ("Stop it", "STOP IT"),
        ("", ""),
        ("a" * MOST_KEYWORD, "A" * MOST_KEYWORD),
        ("a" * (MOST_KEYWORD + 1), ""),
    ],
)
def test_a_keyword_is_the_whole_message(body: str, word: str) -> None:
    assert word_of(body) == word


def test_a_script_has_a_url_of_its_own() -> None:
    assert script_of(url_of(b"s" * 16)) == b"s" * 16
    assert script_of("https://example.com/swml-script://x") is None
    assert script_of("swml-script://x") is None
