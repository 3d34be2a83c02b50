"""A call: simulated, carried out by one node, and kept with all that was heard and done in it."""

from typing import Any, Final, Literal

import msgspec

Direction = Literal["inbound", "outbound-api"]
Status = Literal["in-progress", "completed", "failed"]

TEXT: Final = "send_sms"
"""The method of a transcript's entry that tells of a message. One that was sent has `message_id`, and no body: that is
the message's, which may be redacted.
"""


class Call(msgspec.Struct, frozen=True):
    """One call between a number of the account's and a simulated phone. Times in microseconds."""

    direction: Direction
    sender: str
    recipient: str
    status: Status
    """failed: its document could not be carried out to its end; the transcript's last entry says why."""
    started_at: int
    ended_at: int | None
    transcript: tuple[dict[str, Any], ...]
    """What happened, in order: an object each, whose `method` says what its other members are."""


class Placed(msgspec.Struct, frozen=True):
    """A call under its id."""

    id: bytes
    call: Call


class Dial(msgspec.Struct, frozen=True, kw_only=True):
    """A call to place. One of `swml` and `url` says what is done in it."""

    direction: Direction
    sender: str
    recipient: str
    swml: str | dict[str, Any] | None = None
    """The document, as text in JSON or YAML, or decoded."""
    url: str | None = None
    fallback_url: str | None = None
    digits: str = ""
    """What the phone's owner will press, prompt after prompt; `w` is to press nothing until a prompt gives up."""


def text_key(call_id: bytes, nth: int) -> str:
    """The idempotency key of a call's `nth` text, counted from 1: however often it is asked for, it is sent once."""
    return f"call:{call_id.hex()}:{nth}"


def texts_of(transcript: tuple[dict[str, Any], ...]) -> int:
    """How many texts a transcript tells of, refused ones too."""
    return sum(entry["method"] == TEXT for entry in transcript)
