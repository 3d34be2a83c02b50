"""A call: simulated, over as soon as it is placed, and kept with all that was heard and done in it."""

from typing import Any, Literal

import msgspec

Direction = Literal["inbound", "outbound-api"]
Status = Literal["completed", "failed"]


class Call(msgspec.Struct, frozen=True):
    """One call between a number of the account's and a simulated phone. Times in microseconds."""

    direction: Direction
    sender: str
    recipient: str
    status: Status
    """failed: its document could not be carried out to its end; the transcript's last entry says why."""
    started_at: int
    ended_at: int
    transcript: tuple[dict[str, Any], ...]
    """What happened, in order: an object each, whose `method` says what its other members are."""


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
