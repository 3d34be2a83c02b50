"""Forms: what a client encodes comes back, and octets of any kind are decoded or refused, never repaired."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

from hypothesis import given
from hypothesis import strategies as st

from parley.api.http.decode import Form, pairs
from parley.api.http.fault import Fault
from parley.api.twilio.parameters import period, wanted_address

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
NAMES = TEXT.filter(bool)
PIECES = st.sampled_from(
    [b"To", b"=", b"&", b"+", b"%", b"%2", b"%zz", b"%00", b"%ff", b"\x00", b"\xff", b";", b"a", b"%C3%A9", b"\xc3"]
)


def result_or_fault(call: Callable[[], Any]) -> Any:
    """Return what a call gives, or the kind of fault that it raises."""
    try:
        return call()
    except Fault as fault:
        return fault.kind


@given(st.lists(st.tuples(NAMES, TEXT), max_size=20), st.sampled_from([quote, quote_plus]))
def test_what_is_encoded_comes_back(given_: list[tuple[str, str]], way: Any) -> None:
    assert pairs(urlencode(given_, quote_via=way).encode()) == given_


@given(st.binary(max_size=200) | st.lists(PIECES, max_size=40).map(b"".join))
def test_any_octets(octets: bytes) -> None:
    decoded = result_or_fault(lambda: pairs(octets))
    assert decoded == "malformed" or all("\0" not in f"{name}{value}" for name, value in decoded)


@given(st.lists(st.tuples(NAMES, TEXT), max_size=8))
def test_one_or_many(given_: list[tuple[str, str]]) -> None:
    form = Form(given_)
    for name in form:
        values = [value for other, value in given_ if other == name]
        assert form.many(name) == values
        one = result_or_fault(lambda name=name: form.one(name))  # type: ignore[misc]
        assert one == (values[0] if len(values) == 1 else "invalid_parameter")


@given(
    st.text(max_size=40)
    | st.datetimes().map(lambda at: at.isoformat())
    | st.from_regex(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[ +-]\d\d:?\d\d)?)?", fullmatch=True)
)
def test_any_time_of_a_filter(text: str) -> None:
    found = result_or_fault(lambda: period(Form([("DateSent", text)]), "DateSent"))
    if found != "invalid_parameter":
        begins, ends = found
        assert (begins is None) == (ends is None) == (text == "")


@given(st.text(max_size=60))
def test_any_wanted_address(text: str) -> None:
    assert (wanted_address(Form([("To", text)]), "To") is None) == (text == "")
