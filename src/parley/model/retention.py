"""Retention: what of a message is not kept once it is over. Source: ContentRetention and AddressRetention of Twilio's
message resource, and twilio.com/docs/messaging/guides/privacy-message-redaction.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

from msgspec import json
from msgspec.structs import replace

from parley.model.message import FINAL, Message

Part = Literal["content", "address"]
KEY: Final = "forget"
"""Where a message's extras say what of it is not kept: a list of parts."""
_MARK: Final = f'"{KEY}":'
_HIDDEN: Final = 4
"""Digits of the address, the last, that are not kept."""


def forgotten(message: Message) -> list[Part]:
    """What of a message is not kept once it is over."""
    if message.extras is None or _MARK not in message.extras:
        return []
    extras: dict[str, Any] = json.decode(message.extras)
    parts: list[Part] = extras.get(KEY) or []
    return parts


def noted(extras: str | None, parts: Sequence[Part]) -> str | None:
    """A message's extras that say that these parts are not kept."""
    if not parts:
        return extras
    return json.encode({**(json.decode(extras) if extras else {}), KEY: parts}).decode()


def without(message: Message, parts: Sequence[Part]) -> Message:
    """The message without them: no body; an address whose last four digits are `XXXX`."""
    return replace(
        message,
        body="" if "content" in parts else message.body,
        recipient=obfuscated(message.recipient) if "address" in parts else message.recipient,
    )


def shown(message: Message) -> Message:
    """The message as it may be shown: from when it was sent without what is not kept, though that may be there yet."""
    if message.extras is None or _MARK not in message.extras:
        return message  # nearly all
    is_over = message.status in FINAL or message.status == "sent"
    return without(message, forgotten(message)) if is_over else message


def obfuscated(address: str) -> str:
    """An address without its last four digits: `+1555123XXXX`. Obfuscating it again changes nothing."""
    return address[:-_HIDDEN] + "X" * _HIDDEN
