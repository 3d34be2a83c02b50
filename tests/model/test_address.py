"""Addresses: what each dialect takes, what it is turned into, and why anything else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.model.address import (
    SIGNALWIRE,
    TWILIO,
    TWILIO_STRICT,
    Address,
    InvalidAddress,
    Rules,
    parse_recipient,
    parse_sender,
    read,
)

ALL_RULES = st.sampled_from([TWILIO, TWILIO_STRICT, SIGNALWIRE])
LIKELY = st.text(st.sampled_from("+0123456789 .-()aZ_&:whatsp\x00\n٣"), max_size=24)
TEXTS = st.one_of(
    st.text(st.characters(codec=None), max_size=40),
    LIKELY,
    LIKELY.map(lambda text: "whatsapp:" + text),
    st.from_regex(r"\+?[0-9]{0,20}", fullmatch=True),
)


def reason(text: str, rules: Rules = TWILIO, *, sender: bool = False) -> str:
    with pytest.raises(InvalidAddress) as caught:
        (parse_sender if sender else parse_recipient)(text, rules)
    return caught.value.reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+14155552671", Address("sms", "e164", "+14155552671")),
        ("+1234567", Address("sms", "e164", "+1234567")),
        ("+123456789012345", Address("sms", "e164", "+123456789012345")),
        ("+1 (415) 555-2671", Address("sms", "e164", "+14155552671")),
        (" +1.415.555.2671 ", Address("sms", "e164", "+14155552671")),
        ("14155552671", Address("sms", "e164", "+14155552671")),
        (" 14155552671", Address("sms", "e164", "+14155552671")),  # an unencoded '+' in a form
        ("4155552671", Address("sms", "e164", "+14155552671")),
        ("(415) 555-2671", Address("sms", "e164", "+14155552671")),
        ("15551234567", Address("sms", "e164", "+15551234567")),
        ("12345", Address("sms", "short_code", "12345")),
        ("whatsapp:+14155552671", Address("whatsapp", "e164", "+14155552671")),
        ("WhatsApp:+44 7911 123456", Address("whatsapp", "e164", "+447911123456")),
        ("whatsapp: 14155552671", Address("whatsapp", "e164", "+14155552671")),
    ],
)
def test_twilio_takes(text: str, expected: Address) -> None:
    assert parse_recipient(text) == parse_sender(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+14155552671", Address("sms", "e164", "+14155552671")),
        ("+12345", Address("sms", "e164", "+12345")),
        ("+12345678901234567", Address("sms", "e164", "+12345678901234567")),
        ("988", Address("sms", "short_code", "988")),
        ("+988", Address("sms", "short_code", "988")),
        ("123456", Address("sms", "short_code", "123456")),
        ("whatsapp:+14155552671", Address("whatsapp", "e164", "+14155552671")),
    ],
)
def test_signalwire_takes(text: str, expected: Address) -> None:
    assert parse_recipient(text, SIGNALWIRE) == parse_sender(text, SIGNALWIRE) == expected


@pytest.mark.parametrize("name", ["A", "ACME", "Acme Corp", "A-b_c+d&e 1", "12345678A", "1a", "+A"])
def test_a_sender_may_be_a_name(name: str) -> None:
    assert parse_sender(name) == Address("sms", "alphanumeric", name)
    assert read(name) == parse_sender(name)
    assert reason(name) == "not_a_number"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("whatsapp:", "empty"),
        ("+", "not_a_number"),
        ("ACME", "not_a_number"),
        ("++14155552671", "not_a_number"),
        ("+1415x5552671", "not_a_number"),
        ("whatsapp:ACME", "not_a_number"),
        ("+123456", "length"),
        ("+1234567890123456", "length"),
        ("+988", "length"),
        ("12", "length"),
        ("447911123456", "needs_e164"),
        ("whatsapp:12345", "needs_e164"),
        ("+04155552671", "leading_zero"),
        ("+1415555\x002671", "characters"),
        ("+14155552671\n", "characters"),
        ("+١٤١٥٥٥٥٢٦٧١", "characters"),
        ("\ud83d", "characters"),
        ("mailto:me@example.com", "characters"),
    ],
)
def test_refused_recipients(text: str, why: str) -> None:
    assert reason(text) == why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("Twelve chars", "length"),
        ("123-456_789", "no_letter"),
        ("&", "no_letter"),
        ("Acmé", "characters"),
        ("AC\x00ME", "characters"),
        ("whatsapp:ACME", "needs_e164"),
        ("whatsapp:12345", "needs_e164"),
        ("123456789", "needs_e164"),
    ],
)
def test_refused_senders(text: str, why: str) -> None:
    assert reason(text, sender=True) == why


@pytest.mark.parametrize(
    "text",
    [
        "14155552671",
        "1234567",
        "+1 415 555 2671",
        "+123456789012345678",
        "+12",
        "+098",
        "+123",
        "+1555",
        "+2555",
        "ACME",
    ],
)
def test_signalwire_reformats_nothing(text: str) -> None:
    assert reason(text, SIGNALWIRE) in ("needs_e164", "characters", "length", "not_a_number")


def test_strict_rules_demand_a_length_the_country_has() -> None:
    assert parse_recipient("+141555526").value == "+141555526"
    assert reason("+141555526", TWILIO_STRICT) == "impossible"
    assert parse_recipient("+14155552671", TWILIO_STRICT).value == "+14155552671"


@given(TEXTS, ALL_RULES)
def test_what_was_parsed_reads_back_the_same(text: str, rules: Rules) -> None:
    for parse in (parse_recipient, parse_sender):
        try:
            address = parse(text, rules)
        except InvalidAddress:
            continue
        assert parse(address.text, rules) == address
        assert read(address.text) == address
        assert address.text.isascii()
        assert address.text.isprintable()


@given(TEXTS, ALL_RULES)
def test_every_recipient_may_be_a_sender(text: str, rules: Rules) -> None:
    try:
        address = parse_recipient(text, rules)
    except InvalidAddress:
        return
    assert address.kind != "alphanumeric"
    assert parse_sender(text, rules) == address
