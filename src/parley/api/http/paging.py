"""Page tokens: where a page begins, opaque to the client, and refused when it did not come from us."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error

import msgspec

from parley.api.http.fault import Fault


class Position(msgspec.Struct, frozen=True):
    """Begin after (older than) `id`, or before it (newer) when `backwards`."""

    id: bytes
    backwards: bool = False


def token(position: Position, prefix: str = "PA") -> str:
    """A position as a page token."""
    raw = (b"b" if position.backwards else b"a") + position.id
    return prefix + urlsafe_b64encode(raw).decode().rstrip("=")


def position(text: str, prefix: str = "PA", name: str = "PageToken") -> Position:
    """The position that a token in the parameter `name` names. Raises Fault(invalid_parameter)."""
    try:
        raw = urlsafe_b64decode(text.removeprefix(prefix) + "==")
        canonical = token(Position(raw[1:], raw[:1] == b"b"), prefix)
    except (Base64Error, ValueError):
        raw, canonical = b"", ""
    if len(raw) != 17 or canonical != text or raw[:1] not in (b"a", b"b"):
        raise Fault("invalid_parameter", f"{name} is not one that this server gave", name)
    return Position(raw[1:], raw[:1] == b"b")


def whole_number(text: str | None, name: str, default: int, least: int, most: int) -> int:
    """A parameter that is a whole number. Raises Fault(invalid_parameter) for another form or below `least`;
    above `most` it is `most`, as both APIs do with sizes of pages.
    """
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Fault("invalid_parameter", f"{name} must be a whole number", name)
    value = int(text)
    if value < least:
        raise Fault("invalid_parameter", f"{name} must be at least {least}", name)
    return min(value, most)
