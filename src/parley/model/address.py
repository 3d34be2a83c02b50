"""An address: what a message goes from or to, parsed once at the edge and trusted afterwards."""

import re
from typing import Final, Literal

import msgspec

from parley.lib.phone import is_possible

Channel = Literal["sms", "whatsapp"]
"""sms is SMS and MMS alike: which of the two a message is depends on its media, not on its address."""

Kind = Literal["e164", "short_code", "alphanumeric"]

Reason = Literal[
    "empty", "characters", "length", "leading_zero", "impossible", "not_a_number", "no_letter", "needs_e164"
]
"""Why a text is no address:
- empty: nothing was given
- characters: something other than an address may hold
- length: too few or too many digits or letters
- leading_zero: no calling code begins with 0
- impossible: its country has no numbers of that length (`Rules.strict` only)
- not_a_number: a name where only a number can be reached
- no_letter: a sender's name of digits and signs only, which a handset could take for a number
- needs_e164: a full number without its `+`, or something other than a full number on WhatsApp
"""


class InvalidAddress(ValueError):
    """A text is no address under the rules given. Never holds the text itself, which may be anything."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Address(msgspec.Struct, frozen=True):
    """Where a message goes from or to. `value` is `+` and digits, bare digits, or a name; without the channel."""

    channel: Channel
    kind: Kind
    value: str

    @property
    def text(self) -> str:
        """As the APIs spell it and the record keeps it: `+15551234567`, `12345`, `ACME`, `whatsapp:+15551234567`."""
        return self.value if self.channel == "sms" else f"{self.channel}:{self.value}"


class Rules(msgspec.Struct, frozen=True):
    """What one dialect takes for a number."""

    min_digits: int = 7
    max_digits: int = 15
    is_lenient: bool = False
    """Drops spaces, dashes, dots and parentheses, and takes North American numbers without `+` or country code."""
    short_max: int = 8
    """The most digits of a number without `+` that is dialled as it is."""
    strict: bool = False
    """Demands a length that the number's country can have."""


TWILIO: Final = Rules(is_lenient=True)
"""E.164 of 7 to 15 digits, formatted as people write it. A short code is no recipient: the API answers 21265."""
TWILIO_STRICT: Final = Rules(is_lenient=True, strict=True)
"""The same, of a length that the number's country has: what the API is asked to write to, and what anybody may own."""
SIGNALWIRE: Final = Rules(min_digits=5, max_digits=17, short_max=6)
"""`+` and 5 to 17 digits as documented, never reformatted. Short codes have 6 digits at most; numbers of three, such as
988, may have a `+` as well.
"""

_E164 = re.compile(r"\+[1-9][0-9]{4,16}")
_PLUS_DIGITS = re.compile(r"\+[0-9]+")
_SHORT_CODE = re.compile(r"[0-9]{3,8}")
_PASS_THROUGH = re.compile(r"\+[2-9][0-9]{2}")
# 555 numbers, which developers use, are let through with any subscriber number.
_NANP = re.compile(r"1?(?:[2-9][0-9]{2}[2-9][0-9]{6}|555[0-9]{7})")
_FORMATTED = re.compile(r"[0-9+ .()\-]+")
_FORMATTING = str.maketrans("", "", " .()-")
_LETTER = re.compile(r"[A-Za-z]")
_NAME_CHARACTERS = re.compile(r"[A-Za-z0-9 \-+_&]+")
_NAME_MAX: Final = 11
_WHATSAPP: Final = "whatsapp:"


def parse_recipient(text: str, rules: Rules = TWILIO) -> Address:
    """The address of a message's recipient: a number or a short code.

    InvalidAddress where `text` is none under `rules`. Costs half a microsecond for plain E.164.
    Whether a short code may be written to is the dialect's business: see `Address.kind`.
    """
    if _is_plain(text, rules):
        return Address("sms", "e164", text)
    channel, rest = _channel(text)
    number = _number(rest, rules)
    if number is None:
        if not rest.strip(" "):
            raise InvalidAddress("empty")
        raise InvalidAddress("not_a_number" if _NAME_CHARACTERS.fullmatch(rest) else "characters")
    return _on_channel(channel, number)


def parse_sender(text: str, rules: Rules = TWILIO) -> Address:
    """The address of a message's sender: a number, a short code or an alphanumeric name.

    A name has 1 to 11 of the letters A to Z, digits, space and - + _ &, at least one a letter. InvalidAddress where
    `text` is none of these under `rules`. Costs half a microsecond for plain E.164.
    """
    if _is_plain(text, rules):
        return Address("sms", "e164", text)
    channel, rest = _channel(text)
    number = _number(rest, rules)
    if number is not None:
        return _on_channel(channel, number)
    if not rest.strip(" "):
        raise InvalidAddress("empty")
    if _NAME_CHARACTERS.fullmatch(rest) is None:
        raise InvalidAddress("characters")
    if channel != "sms":
        raise InvalidAddress("needs_e164")
    if len(rest) > _NAME_MAX:
        raise InvalidAddress("length")
    if _LETTER.search(rest) is None:
        raise InvalidAddress("no_letter")
    return Address("sms", "alphanumeric", rest)


def is_signalwire_sender(address: Address) -> bool:
    """Whether SignalWire's API sends from an address: a full number, or a short code of 5 or 6 digits; no name.

    Source: create-message page.
    """
    return address.channel == "sms" and (
        address.kind == "e164" or (address.kind == "short_code" and len(address.value) in (5, 6))
    )


def read(text: str) -> Address:
    """The address that `Address.text` spelled, without checking it again: for what our own record holds."""
    if _PLUS_DIGITS.fullmatch(text):  # a name may begin with a plus as well
        return Address("sms", "e164", text)
    if text.startswith(_WHATSAPP):
        return Address("whatsapp", "e164", text[len(_WHATSAPP) :])
    return Address("sms", "short_code" if text.isdecimal() else "alphanumeric", text)


def _is_plain(text: str, rules: Rules) -> bool:
    """The common case first: E.164 with nothing to normalise."""
    return (
        _E164.fullmatch(text) is not None
        and rules.min_digits < len(text) <= rules.max_digits + 1
        and (not rules.strict or is_possible(text))
    )


def _channel(text: str) -> tuple[Channel, str]:
    prefix = text[: len(_WHATSAPP)]
    return ("whatsapp", text[len(_WHATSAPP) :]) if prefix.lower() == _WHATSAPP else ("sms", text)


def _on_channel(channel: Channel, number: tuple[Kind, str]) -> Address:
    kind, value = number
    if channel != "sms" and kind != "e164":
        raise InvalidAddress("needs_e164")
    return Address(channel, kind, value)


def _number(text: str, rules: Rules) -> tuple[Kind, str] | None:
    """The number that a text writes, None where it doesn't look like one; InvalidAddress for a wrong number."""
    if _SHORT_CODE.fullmatch(text) and len(text) <= rules.short_max:
        return "short_code", text
    if rules.is_lenient and _FORMATTED.fullmatch(text):
        text = text.translate(_FORMATTING)
        if _NANP.fullmatch(text):
            text = f"+{text}" if len(text) == 11 else f"+1{text}"
    if _PLUS_DIGITS.fullmatch(text) is None:
        if text.isascii() and text.isdecimal():
            raise InvalidAddress("length" if len(text) < rules.min_digits else "needs_e164")
        return None
    if rules.min_digits < len(text) <= rules.max_digits + 1:
        if text[1] == "0":
            raise InvalidAddress("leading_zero")
        if rules.strict and not is_possible(text):
            raise InvalidAddress("impossible")
        return "e164", text
    # Emergency and help lines such as 988 are dialled as they are, so a '+' before them means nothing.
    if not rules.is_lenient and _PASS_THROUGH.fullmatch(text):
        return "short_code", text[1:]
    raise InvalidAddress("length")
