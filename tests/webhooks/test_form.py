"""Forms are encoded as the standard library encodes them, only faster."""

from urllib.parse import parse_qsl, urlencode

from hypothesis import given
from hypothesis import strategies as st

from parley.webhooks import form

_VALUES = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9]*", fullmatch=True), _VALUES))
def test_encodes_as_the_standard_library_does(params: dict[str, str]) -> None:
    assert form.encode(params) == urlencode(params)


def test_what_it_encodes_is_read_back() -> None:
    params = {"From": "+15551234567", "Body": "", "Sid": "SM00ff", "Text": "ä+b & c=d/e", "Lone": "+"}
    assert dict(parse_qsl(form.encode(params), keep_blank_values=True)) == params
