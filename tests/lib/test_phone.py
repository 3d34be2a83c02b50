"""Phone numbers: possible, country, place and kind of line, equal to what the phonenumbers library says."""

import subprocess
import sys
from importlib.resources import files
from typing import get_args

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.lib.phone import LineType, Place, is_possible, line_type, market, place, region

NUMBERS = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True) | st.from_regex(r"\+1[2-9][0-9]{9}", fullmatch=True)


@pytest.mark.parametrize(
    ("e164", "country"),
    [
        ("+14155552671", "US"),
        ("+15551234567", "US"),  # unassigned area code
        ("+14165550100", "CA"),
        ("+14161550100", "CA"),  # no such subscriber, yet Toronto
        ("+17875550100", "PR"),
        ("+18005551234", "US"),
        ("+442071838750", "GB"),
        ("+441534123456", "JE"),
        ("+440000000000", "GB"),
        ("+77011234567", "KZ"),
        ("+79161234567", "RU"),
        ("+4915112345678", "DE"),
        ("+35312345678", "IE"),
        ("+88816123456", None),
        ("+999123456789", None),
        ("12345", None),
        ("ACME1", None),
        ("", None),
    ],
)
def test_region(e164: str, country: str | None) -> None:
    assert region(e164) == country


@pytest.mark.parametrize(
    ("e164", "expected"),
    [
        ("+14155552671", Place(city="SAN FRANCISCO", state="CA", country="US")),
        ("+12125550100", Place(city="NEW YORK", state="NY", country="US")),
        ("+13105551234", Place(state="CA", country="US")),
        ("+16465550100", Place(state="NY", country="US")),
        ("+12025550100", Place(city="WASHINGTON", state="DC", country="US")),
        ("+14165550100", Place(state="ON", country="CA")),
        ("+12423220000", Place(city="NEW PROVIDENCE", country="BS")),
        ("+15551234567", Place(country="US")),
        ("+442071838750", Place(country="GB")),
        ("A1x", Place()),
        ("+1x", Place(country="US")),
        ("", Place()),
    ],
)
def test_place(e164: str, expected: Place) -> None:
    assert place(e164) == expected


def test_the_table_of_places_is_that_of_the_installed_library() -> None:
    """Fails after an upgrade of phonenumbers that moved a prefix: run tools/nanp_places.py again."""
    from phonenumbers.geodata import GEOCODE_DATA

    table = files("parley.lib").joinpath("nanp_places.tsv").read_text("utf-8")
    ours = {prefix for line in table.splitlines() for prefix in line.split("\t")[2].split(" ")}
    theirs = {prefix: names["en"] for prefix, names in GEOCODE_DATA.items() if prefix[0] == "1" and "en" in names}
    assert ours == set(theirs)
    for prefix, name in theirs.items():
        city, state = place(f"+{prefix}").city, place(f"+{prefix}").state
        if ", " in name:
            assert name.upper().endswith(f"{city}, {state}")
        else:
            assert (city, state) == ("WASHINGTON", "DC") or city == name.upper() or (city == "" and len(state) == 2)


@given(NUMBERS)
def test_possible_is_what_the_library_says(e164: str) -> None:
    try:
        number = phonenumbers.parse(e164)
        expected = phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
    except phonenumbers.NumberParseException:
        expected = False
    if e164.startswith(("+10", "+11")):
        expected = False  # no area code; the library takes the 1 for a trunk prefix and drops it
    assert is_possible(e164) == expected


@given(NUMBERS)
def test_the_region_of_a_valid_number_is_what_the_library_says(e164: str) -> None:
    try:
        expected = phonenumbers.region_code_for_number(phonenumbers.parse(e164))
    except phonenumbers.NumberParseException:
        expected = None
    # A toll-free number is of no one country of North America, whichever the library finds first.
    if expected not in (None, "001") and not (e164.startswith("+1") and line_type(e164) != "fixed_or_mobile"):
        assert region(e164) == expected


@pytest.mark.parametrize(
    ("e164", "kind"),
    [
        ("+14155552671", "fixed_or_mobile"),
        ("+18005551234", "toll_free"),
        ("+442071838750", "landline"),
        ("+447400123456", "mobile"),
        ("+15551234567", "unknown"),
        ("12345", "unknown"),
        ("", "unknown"),
    ],
)
def test_line_type(e164: str, kind: str) -> None:
    assert line_type(e164) == kind


@pytest.mark.parametrize(
    ("e164", "country"),
    [
        ("+14155552671", "US"),
        ("+14165550100", "CA"),
        ("+77011234567", "KZ"),
        ("+79161234567", "RU"),
        ("+447911123456", "GB"),  # of Guernsey, and the number that documentation shows as a British one
        ("+441534123456", "GB"),
        ("+61891641234", "AU"),
        ("+35818123456", "FI"),
        ("+881612345678", None),
        ("12345", None),
        ("", None),
    ],
)
def test_markets(e164: str, country: str | None) -> None:
    assert market(e164) == country


def test_the_market_of_a_mobile_phone_is_its_country_or_the_main_one_of_its_calling_code() -> None:
    for country in phonenumbers.SUPPORTED_REGIONS:
        found = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
        if found is not None:
            number = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
            main = phonenumbers.region_code_for_country_code(found.country_code or 0)
            assert market(number) == (region(number) if found.country_code in {1, 7} else main), number


@given(st.text(st.characters(codec=None), max_size=20) | st.from_regex(r"\+?[0-9٠-٩]{0,20}", fullmatch=True))
def test_nothing_raises(text: str) -> None:
    assert isinstance(is_possible(text), bool)
    assert line_type(text) in get_args(LineType)
    assert place(text).country == (region(text) or "")
    assert isinstance(market(text), str | None)


def test_the_geocoder_stays_unloaded() -> None:
    program = (
        "import sys; from parley.lib.phone import place; assert place('+14155552671').city; "
        "sys.exit('phonenumbers.geodata' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
