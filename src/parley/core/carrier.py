"""The carrier contract: what every way of moving messages must offer, and the only part of the core a carrier sees.

Outcome
├── Accepted      the carrier has it; one ref a segment               -> sent, then its receipts
├── Rejected      the carrier refused it for good                     -> failed, with a code
├── Throttled     too fast                                            -> the sender pauses, then again
├── Unreachable   it surely was not sent                              -> again, with back-off
└── Uncertain     it may have been sent                               -> never again by itself; marked
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from parley.model.receipt import Receipt


class Attachment(msgspec.Struct, frozen=True):
    """One media item, stored and ready to send."""

    content_type: str
    content_hash: bytes
    size: int


class Submission(msgspec.Struct, frozen=True):
    """One message to hand over. `key` names it for ever; a carrier with `deduplicates` sends a key once only."""

    key: tuple[bytes, bytes]
    """Account id and message id."""
    sender: str
    recipient: str
    body: str
    segments: int
    media: tuple[Attachment, ...] = ()
    attempt: int = 1


class Accepted(msgspec.Struct, frozen=True):
    """The carrier took it. `refs` are its own names of it, one a segment; receipts will carry them.

    Empty when the carrier's receipts carry our key instead.
    """

    refs: tuple[str, ...] = ()


class Rejected(msgspec.Struct, frozen=True):
    """The carrier refused it for good. `code` is Twilio's delivery error number (30003...)."""

    code: int
    reason: str = ""


class Throttled(msgspec.Struct, frozen=True):
    """The carrier wants us slower: this sender's messages wait `after_s` seconds. Costs no attempt."""

    after_s: float = 1.0
    reason: str = ""


class Unreachable(msgspec.Struct, frozen=True):
    """It was surely not sent (no connection, refused before a byte of it left): it is tried again."""

    reason: str = ""


class Uncertain(msgspec.Struct, frozen=True):
    """It may have been sent (the connection died before the answer): recorded, never sent again by itself."""

    reason: str = ""


Outcome = Accepted | Rejected | Throttled | Unreachable | Uncertain


class Inbound(msgspec.Struct, frozen=True):
    """A message that a carrier received for one of our numbers."""

    carrier: str
    sender: str
    recipient: str
    body: str
    media: tuple[tuple[str, bytes], ...] = ()
    """Content type and octets of each attachment."""
    ref: str | None = None
    """The carrier's own name of it."""


Answer = Callable[[Sequence[tuple[Submission, Outcome]]], None]
"""Takes outcomes as they become known; each submission is answered exactly once, in any order and grouping."""
ReportReceipts = Callable[[Sequence[Receipt]], Awaitable[object]]
"""Returns once they are durable; only then may the carrier acknowledge them upstream."""
ReportInbound = Callable[[Inbound], Awaitable[bytes | None]]
"""Returns the new message's id once it is durable; None, and nothing is kept, when it is for nobody here."""


class Carrier(Protocol):
    """A way to move messages. Takes values and returns values; owns no record, no clock, and logs no secret."""

    @property
    def name(self) -> str:
        """Its name in settings, records and metrics."""
        ...

    @property
    def deduplicates(self) -> bool:
        """Whether submitting the same key twice sends it once: then a submit lost in a crash may be repeated."""
        ...

    async def start(self, receipts: ReportReceipts, inbound: ReportInbound) -> None:
        """Connect. Called once, before the first submit."""
        ...

    async def submit(self, batch: Sequence[Submission], answer: Answer) -> None:
        """Hand over each of `batch`, answering as outcomes come; returns when all were answered.

        Raises nothing: what cannot be said otherwise is `Uncertain`.
        """
        ...

    async def check(self) -> str | None:
        """Say what keeps it from sending, in a sentence, or None when it is well."""
        ...

    async def close(self) -> None:
        """Finish what is under way and disconnect."""
        ...
