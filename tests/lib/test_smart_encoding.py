"""Smart encoding: equal to the published vectors, and harmless where there is nothing to do."""

import json
from pathlib import Path
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from parley.lib import segments
from parley.lib.smart_encoding import smart

VECTORS: Final[list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "segment_vectors_smart.json").read_text("utf-8")
)


def test_all_vectors_hold() -> None:
    assert len(VECTORS) == 283
    for vector in VECTORS:
        counted = {
            "category": vector["category"],
            "text": vector["text"],
            **asdict(segments.count(smart(vector["text"]))),
        }
        assert counted == vector


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="`")))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert smart(text) == text


@given(st.text())
def test_what_was_encoded_has_nothing_left_to_replace(text: str) -> None:
    assert smart(smart(text)) == smart(text)


def test_other_scripts_are_left_alone() -> None:
    assert smart("Привет, 世界 🙂") == "Привет, 世界 🙂"
