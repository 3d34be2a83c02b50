"""Which senders may write to whom, in which profile, and by whose table."""

import pytest

from parley.core.refusal import Reason
from parley.core.sender_rules import SenderRules
from parley.lib.tables import TableError
from parley.model import sender_rule
from parley.model.address import parse_recipient, parse_sender

STRICT = SenderRules(sender_rule.built_in(), strict=True)
LONG_CODE, SHORT_CODE, NAME = "+14155552671", "12345", "ACME"
MOBILES = {
    "US": "+14155552671",
    "CA": "+14165552671",
    "GB": "+447400123456",
    "AU": "+61412345678",
    "DE": "+4915123456789",
    "IN": "+918123456789",
    "FR": "+33612345678",
}


def refusal(rules: SenderRules, sender: str, recipient: str, *, is_forced: bool = False) -> Reason | None:
    return rules.refusal(parse_sender(sender), parse_recipient(recipient), is_forced=is_forced)


@pytest.mark.parametrize(
    ("country", "takes"),
    [("US", "LS"), ("CA", "LSA"), ("GB", "LSA"), ("AU", "LSA"), ("DE", "SA"), ("IN", "SA"), ("FR", "LSA")],
)
def test_each_country_takes_the_senders_that_its_row_says(country: str, takes: str) -> None:
    for letter, sender in {"L": LONG_CODE, "S": SHORT_CODE, "A": NAME}.items():
        expected = None if letter in takes else "recipient_unroutable"
        assert refusal(STRICT, sender, MOBILES[country]) == expected
        assert STRICT.allows(parse_sender(sender), country) is (letter in takes)


@pytest.mark.parametrize("sender", ["+447700900123", "+4915123456789", "+33612345678"])
def test_a_long_code_from_abroad_does_not_write_to_the_us(sender: str) -> None:
    """It would escape the registration that is asked of the country's own."""
    assert refusal(STRICT, sender, MOBILES["US"]) == "recipient_unroutable"
    assert refusal(STRICT, sender, MOBILES["CA"]) is None
    assert not STRICT.pools(parse_sender(sender), "US")
    for own in ("+14165552671", "+18885552671", "+14155552671"):
        assert refusal(STRICT, own, MOBILES["US"]) is None, "North America shares its calling code"


@pytest.mark.parametrize(
    ("recipient", "reason"),
    [
        ("+19005552671", "recipient_is_premium"),
        ("+449012345678", "recipient_is_premium"),
        ("+33123456789", "recipient_is_landline"),
        ("+442071838750", None),
        ("+12125552671", None),
        ("+18005552671", None),
        ("whatsapp:+33123456789", None),
    ],
)
def test_lines_that_no_message_reaches(recipient: str, reason: Reason | None) -> None:
    sender = "whatsapp:" + LONG_CODE if recipient.startswith("whatsapp:") else LONG_CODE
    assert refusal(STRICT, sender, recipient) == reason


def test_who_forces_delivery_may_write_to_landlines_and_to_nobody_else() -> None:
    assert refusal(STRICT, LONG_CODE, "+33123456789", is_forced=True) is None
    assert refusal(STRICT, LONG_CODE, "+449012345678", is_forced=True) == "recipient_is_premium"
    assert refusal(STRICT, NAME, MOBILES["US"], is_forced=True) == "recipient_unroutable"


@pytest.mark.parametrize(
    ("recipient", "code"),
    [("+442071838750", 30006), ("+447400123456", None), ("+12125552671", None), ("+33123456789", None)],
)
def test_a_landline_that_only_its_network_knows_is_found_out_later(recipient: str, code: int | None) -> None:
    assert STRICT.fate(parse_recipient(recipient)) == code


def test_the_dev_profile_lets_everyone_write_to_everyone() -> None:
    dev = SenderRules(sender_rule.built_in(), strict=False)
    for recipient in (MOBILES["US"], "+19005552671", "+33123456789", "+442071838750"):
        assert refusal(dev, NAME, recipient) is None
        assert dev.fate(parse_recipient(recipient)) is None
    assert refusal(dev, "+447700900123", MOBILES["US"]) is None
    assert not dev.allows(parse_sender(NAME), "US")


def test_an_operators_rows_replace_ours() -> None:
    table = "country\tlong_code\tshort_code\talphanumeric\nFR\tfalse\tfalse\ttrue\n"
    rules = SenderRules(sender_rule.read(table), strict=True)
    assert refusal(rules, LONG_CODE, MOBILES["FR"]) == "recipient_unroutable"
    assert refusal(rules, NAME, MOBILES["FR"]) is None
    assert refusal(rules, NAME, MOBILES["US"]) == "recipient_unroutable"


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("", "line 1"),
        ("country\tlong_code\tshort_code\talphanumeric\n\nFR\ttrue\n", "line 3: 4 columns"),
        ("country\tlong_code\tshort_code\talphanumeric\nFR\tperhaps\ttrue\ttrue\n", "line 2"),
        ("country\tlong\nFR\ttrue\n", "line 2"),
    ],
)
def test_a_table_that_cannot_be_read_is_said_by_its_line(table: str, says: str) -> None:
    with pytest.raises(TableError, match=says):
        sender_rule.read(table)


def test_every_row_of_ours_says_who_says_so() -> None:
    assert all(rule.source for rule in sender_rule.built_in().values())
