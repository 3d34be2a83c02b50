"""The one-time codes that a phone finds in what it received."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.api.admin.text import code


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("Your code is 123456", "123456"),
        ("Your code is 1234.", "1234"),
        ("12345678 is your verification code", "12345678"),
        ("G-123456 is your Google verification code", "123456"),
        ("Your code: 123-456", "123456"),
        ("PIN 123 456!", "123456"),
        ("code:0042", "0042"),
        ("code=5678", "5678"),
        ("(1234)", "1234"),
        ("**1234**", "1234"),
        ("Use #123456 to sign in", "123456"),
        ("Your Acme code is 4321.\n\n@acme.example #4321", "4321"),
        ("Order 12345 has shipped, code 9876", "9876"),
        ("Code 9876 for order 12345", "9876"),
        ("Code 123456. Call 8005551212 before 12:30 on 2026-08-19", "123456"),
        ("See https://example.com/123456 and use code 4321", "4321"),
        ("Ihr Code lautet 0042", "0042"),
        ("验证码 123456", "123456"),
        ("2345 first, 6789 second", "2345"),
        ("", None),
        ("Hello", None),
        ("123", None),
        ("123456789", None),
        ("call +15551234567", None),
        ("call 555-123-4567", None),
        ("pay $1234 or 1234.50 or 50,1234", None),
        ("on 2026-08-19 at 14:30", None),
        ("1234% of nothing", None),
        ("abc1234", None),
        ("1234abc", None),
        ("4111 1111 1111 1111", None),
        ("https://example.com/1234", None),
        ("١٢٣٤٥٦", None),
    ],
)
def test_code(body: str, found: str | None) -> None:
    assert code(body) == found


@given(st.text() | st.text("0123456789 -.:/#@()[]htpscode+$\n"))
def test_any_text_is_read(body: str) -> None:
    found = code(body)
    assert found is None or (found.isascii() and found.isdigit() and 4 <= len(found) <= 8)


@given(st.integers(0, 99_999_999), st.integers(4, 8), st.text("abc ,.!", max_size=20))
def test_a_code_that_is_named_is_found(number: int, digits: int, rest: str) -> None:
    sent = f"{number % 10**digits:0{digits}}"
    assert code(f"Your code is {sent} {rest}") == sent
