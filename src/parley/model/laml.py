"""LaML, as SignalWire calls Twilio's API: who speaks it knows every id as a UUID. The extras of a message or a number
that is told of in that spelling say so.
"""

from typing import Any, Final

from msgspec import json

KEY: Final = "laml"
"""Where the extras say so."""
_MARK: Final = f'"{KEY}":true'
"""No text within the extras can spell it: a quotation mark in one is escaped."""


def is_laml(extras: str | None) -> bool:
    """Whether these extras say that its app knows UUIDs."""
    return extras is not None and _MARK in extras


def marked(extras: str | None, *, is_so: bool = True) -> str | None:
    """The extras with that said, or taken back."""
    if is_so == is_laml(extras):
        return extras
    kept: dict[str, Any] = json.decode(extras) if extras else {}
    kept.pop(KEY, None)
    if is_so:
        kept[KEY] = True
    return json.encode(kept).decode() if kept else None
