"""What an app sets in its answers comes back to it, until it takes that back."""

from http.cookies import SimpleCookie

import pytest

from parley.webhooks.cookies import MAX_OCTETS, MOST, after

NOW = 1_750_000_000_000_000


def test_cookies_are_set_and_replaced_and_others_stay() -> None:
    assert after({"a": "1", "b": "2"}, ["a=3; Path=/; HttpOnly", "c=4"], NOW) == {"b": "2", "a": "3", "c": "4"}


@pytest.mark.parametrize(
    ("attributes", "is_kept"),
    [
        ("Max-Age=0", False),
        ("Max-Age=-1", False),
        ("Max-Age=3600", True),
        ("Max-Age=soon", True),
        ("Expires=Thu, 01 Jan 1970 00:00:00 GMT", False),
        ("expires=Thu, 01-Jan-1970 00:00:00 GMT; Path=/", False),
        ("Expires=Fri, 01 Jan 2100 00:00:00 GMT", True),
        ("Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", True),
    ],
)
def test_what_has_expired_is_taken_back(attributes: str, is_kept: bool) -> None:
    expected = {"a": "1", "n": "2"} if is_kept else {"a": "1"}
    assert after({"a": "1", "n": "1"}, [f"n=2; {attributes}"], NOW) == expected


@pytest.mark.parametrize("value", [r'"a\000b"', '"\udce9"', '"a\\012b"'])
def test_a_cookie_that_no_record_takes_is_left_out(value: str) -> None:
    assert "bad" in SimpleCookie(f"bad={value}"), "the standard library reads it"
    assert after({}, [f"bad={value}", "good=1; Path=/"], NOW) == {"good": "1"}


def test_an_app_that_sets_ever_more_has_the_last_ones() -> None:
    found: dict[str, str] = {}
    for n in range(MOST + 10):
        found = after(found, [f"n{n}=1"], NOW)
    assert list(found) == [f"n{n}" for n in range(10, MOST + 10)]
    assert after({}, [f"big={'x' * MAX_OCTETS}", f"fits={'x' * (MAX_OCTETS - 4)}"], NOW).keys() == {"fits"}
