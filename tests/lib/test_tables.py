"""Tables that operators write: read whole, or refused with the line that is wrong."""

from typing import Literal

import msgspec
import pytest

from parley.lib.tables import TableError, read
from parley.model import price, sender_rule


class Fruit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    count: int
    is_ripe: bool = False
    colour: Literal["red", "green", ""] = ""


def fruit(text: str) -> dict[str, Fruit]:
    return read(text, Fruit, lambda row: row.name)


def test_rows_are_read_by_their_columns_in_any_order_and_empty_lines_are_none() -> None:
    text = "\ncount\tname\tis_ripe\n3\tapple\ttrue\r\n  \n0\tpear tree\tfalse"
    assert fruit(text) == {"apple": Fruit("apple", 3, is_ripe=True), "pear tree": Fruit("pear tree", 0)}
    assert fruit("name\tcount") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the names of the columns are missing"),
        ("name\tcount\tname\na\t1\tb", "line 1: a column is named twice"),
        ("name\tcount\na", "line 2: 2 columns are wanted, and there are 1"),
        ("name\tcount\n\na\t1\t2", "line 3: 2 columns are wanted, and there are 3"),
        ("name\tcount\na\tmany", "line 2: "),
        ("name\tcount\tcolour\na\t1\tblue", "line 2: "),
        ("name\tcount\ttaste\na\t1\tsweet", "line 2: .*taste"),
        ("name\na", "line 2: .*count"),
        ("name\tcount\na\t1\nb\t2\na\t3", "line 4: it stands for the same as line 2"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(TableError, match=said):
        fruit(text)


@pytest.mark.parametrize("country", ["UK", "us", "", "001", "+1"])
def test_a_row_of_no_country_is_refused(country: str) -> None:
    with pytest.raises(TableError, match=r"line 2: .*no code of ISO 3166-1"):
        price.read(f"country\tkind\tdirection\tmicro_usd\n{country}\tsms\toutbound\t1")
    with pytest.raises(TableError, match=r"line 2: .*no code of ISO 3166-1"):
        sender_rule.read(f"country\tlong_code\tshort_code\talphanumeric\n{country}\ttrue\ttrue\ttrue")


def test_an_operators_rows_replace_ours_and_the_others_stay() -> None:
    prices = price.read("country\tkind\tdirection\tmicro_usd\nGB\tsms\toutbound\t0\n*\tsms\toutbound\t7")
    assert (prices["GB", "sms", "outbound"].micro_usd, prices["*", "sms", "outbound"].micro_usd) == (0, 7)
    assert prices["US", "sms", "outbound"] == price.built_in()["US", "sms", "outbound"]
    assert price.read(None) == price.built_in()
    with pytest.raises(TableError, match="line 2"):
        price.read("country\tkind\tdirection\tmicro_usd\nGB\tsms\toutbound\t-1")
    rules = sender_rule.read("country\tlong_code\tshort_code\talphanumeric\nGB\tfalse\tfalse\ttrue")
    assert rules["GB"] == sender_rule.SenderRule("GB", long_code=False, short_code=False, alphanumeric=True)
    assert {**rules, "GB": None} == {**sender_rule.built_in(), "GB": None}
