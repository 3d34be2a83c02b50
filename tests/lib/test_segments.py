"""Segments: equal to the published vectors, and whole where something must stay whole."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from parley.lib.gsm import BASIC, ESCAPE, EXTENSION
from parley.lib.segments import GSM_PART, GSM_SINGLE, UCS2_PART, UCS2_SINGLE, count, split

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "segment_vectors.json").read_text("utf-8")
)

ANY_TEXT = st.text(st.characters(codec=None), max_size=400)  # lone surrogates too
GSM_TEXT = st.text(st.sampled_from(BASIC.replace(ESCAPE, "") + "".join(EXTENSION) * 8), max_size=700)
CLUSTERS = ["👨‍👩‍👧‍👦", "👍🏿", "🇺🇸", "é́", "ж", "क्षि", "각", "1️⃣", "a", "\r\n", "𠮷", "\u200d", "\u0600"]
CLUSTER_TEXT = st.lists(st.sampled_from(CLUSTERS), max_size=300).map("".join)
TEXTS = st.one_of(ANY_TEXT, GSM_TEXT, CLUSTER_TEXT)


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def septets(text: str) -> int:
    return len(text) + sum(text.count(each) for each in EXTENSION)


def test_all_vectors_are_here() -> None:
    assert len(VECTORS) == 377


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["category"])
def test_vector(vector: dict[str, Any]) -> None:
    expected = {key: value for key, value in vector.items() if key not in ("category", "text")}
    assert msgspec.to_builtins(count(vector["text"])) == expected
    assert len(split(vector["text"])) == expected["segments"]


@given(TEXTS)
def test_the_parts_join_to_the_body_and_fit(body: str) -> None:
    counted, parts = count(body), split(body)
    assert "".join(parts) == body
    assert len(parts) == counted.segments
    measure, single, several = (
        (septets, GSM_SINGLE, GSM_PART) if counted.encoding == "GSM-7" else (units, UCS2_SINGLE, UCS2_PART)
    )
    assert max(map(measure, parts)) <= (single if len(parts) == 1 else several)
    assert all(parts) or body == ""


@given(TEXTS)
def test_bits_and_scalars_agree_with_the_text(body: str) -> None:
    counted = count(body)
    assert counted.unicode_scalars == len(body)
    bits = septets(body) * 7 if counted.encoding == "GSM-7" else units(body) * 16
    assert counted.message_bits == bits
    assert counted.total_bits - bits == (48 * counted.segments if counted.segments > 1 else 0)


@given(TEXTS, TEXTS)
def test_more_text_never_takes_fewer_segments(body: str, more: str) -> None:
    assert count(body + more).segments >= count(body).segments


@given(GSM_TEXT)
def test_gsm_text_stays_gsm_and_counts_septets(body: str) -> None:
    assert (count(body).encoding, count(body).characters) == ("GSM-7", septets(body))


@given(GSM_TEXT, st.sampled_from("`’çЖ中\t\x00\x1b\u200b😀"))
def test_one_character_outside_the_alphabet_turns_all_to_ucs2(body: str, other: str) -> None:
    assert count(body + other).encoding == "UCS-2"


@given(
    st.lists(st.sampled_from(["👨‍👩‍👧‍👦", "👍🏿", "🇺🇸", "ж", "𠮷", "각", "e\u0301\u0323"]), max_size=300).map("".join)
)
def test_no_grapheme_is_cut(body: str) -> None:
    graphemes = set(regex.findall(r"\X", body))
    assert all(set(regex.findall(r"\X", part)) <= graphemes for part in split(body))


def test_a_grapheme_too_large_for_any_segment_is_cut_between_code_points() -> None:
    body = "ж" + "e" + "\u0301" * 200
    assert [len(part) for part in split(body)] == [67, 67, 67, 1]
    assert count(body).characters == 2


def test_a_pair_that_would_straddle_moves_to_the_next_segment() -> None:
    assert [len(part) for part in split("a" * 152 + "€" + "b" * 20)] == [152, 21]
    assert [len(part) for part in split("ж" * 66 + "😀" + "ж" * 10)] == [66, 11]


def test_lone_surrogates_count_one_unit_each() -> None:
    assert (count("\ud83d").message_bits, count("\ud83d" * 71).segments) == (16, 2)
