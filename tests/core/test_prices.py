"""What a message costs, and by whose table."""

import pytest

from parley.core.prices import Prices
from parley.model import price
from parley.model.address import parse_recipient, parse_sender
from parley.model.message import Kind

OURS = Prices(price.built_in())


@pytest.mark.parametrize(
    ("kind", "recipient", "segments", "cost"),
    [
        ("sms", "+14155552671", 1, 7_900),
        ("sms", "+14155552671", 3, 23_700),
        ("sms", "+14165552671", 1, 7_900),
        ("sms", "+447400123456", 2, 80_000),
        ("sms", "+33612345678", 1, 50_000),
        ("sms", "12345", 1, 50_000),
        ("mms", "+14155552671", 3, 22_000),
        ("whatsapp", "whatsapp:+14155552671", 3, 5_000),
    ],
)
def test_a_country_has_its_price_and_an_sms_as_many_as_segments(
    kind: Kind, recipient: str, segments: int, cost: int
) -> None:
    for _ in range(2):
        assert OURS.of(kind, parse_recipient(recipient), segments) == cost


def test_receiving_costs_by_the_number_that_receives() -> None:
    assert OURS.inbound("sms", parse_sender("+14155552671"), 2) == 15_800
    assert OURS.inbound("sms", parse_sender("+447400123456"), 2) == 15_000


def test_an_operators_rows_replace_ours_and_nothing_is_charged_at_zero() -> None:
    table = "country\tkind\tdirection\tmicro_usd\nUS\tsms\toutbound\t0\nFR\tsms\toutbound\t65000\n"
    prices = Prices(price.read(table))
    assert prices.of("sms", parse_recipient("+14155552671"), 1) is None
    assert prices.of("sms", parse_recipient("+33612345678"), 1) == 65_000
    assert prices.of("mms", parse_recipient("+14155552671"), 1) == 22_000


def test_every_row_of_ours_says_who_says_so() -> None:
    assert all(row.source for row in price.built_in().values())
