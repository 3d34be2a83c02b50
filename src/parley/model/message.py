"""A message: its values, its states, and the one table of the moves that are legal between them."""

from typing import Final, Literal

import msgspec

Status = Literal[
    "accepted",
    "scheduled",
    "queued",
    "sending",
    "sent",
    "delivered",
    "undelivered",
    "failed",
    "canceled",
    "receiving",
    "received",
    "read",
]
"""Twilio's spelling. SignalWire spells `sending` as `initiated`; its dialect renames it at the edge.

accepted    taken for a messaging service, no sender chosen yet
scheduled   waits for its SendAt
queued      waits for its sender's next slot, or for the carrier
sending     being submitted to a carrier; transient, and where a message whose submit is uncertain stays
sent        a carrier took it
delivered   a receipt says that the handset has it
undelivered a receipt says that the handset will not get it
failed      it never left: rejected, expired, or its media could not be fetched
canceled    withdrawn by its owner before it was submitted
receiving   an inbound message whose parts or media are still coming
received    an inbound message, whole
read        the recipient opened it (channels with read receipts)
"""

Direction = Literal["inbound", "outbound-api", "outbound-reply", "outbound-call"]
Kind = Literal["sms", "mms", "whatsapp"]
Dialect = Literal["twilio", "signalwire"]
"""The API that a message was made through, and so the shape of its callbacks."""

MOVES: Final[dict[Status, frozenset[Status]]] = {
    "accepted": frozenset({"queued", "failed", "canceled"}),
    "scheduled": frozenset({"queued", "failed", "canceled"}),
    "queued": frozenset({"sending", "sent", "delivered", "undelivered", "failed", "canceled", "read"}),
    "sending": frozenset({"sent", "delivered", "undelivered", "failed", "read"}),
    "sent": frozenset({"delivered", "undelivered", "failed", "read"}),
    "delivered": frozenset({"read"}),
    "undelivered": frozenset(),
    "failed": frozenset(),
    "canceled": frozenset(),
    "receiving": frozenset({"received", "failed"}),
    "received": frozenset(),
    "read": frozenset(),
}
"""From a state to those that may follow. Receipts may overtake the submit's answer, so `queued` may end at once."""

INITIAL: Final[frozenset[Status]] = frozenset({"accepted", "scheduled", "queued", "receiving", "received"})
FINAL: Final[frozenset[Status]] = frozenset({"delivered", "undelivered", "failed", "canceled", "received", "read"})
"""No further submit can follow. `delivered` may still become `read`."""

CANCELABLE: Final[frozenset[Status]] = frozenset(s for s, after in MOVES.items() if "canceled" in after)

MAX_BODY: Final = 1600
"""Characters of a body that both APIs accept."""
DEFAULT_VALIDITY_S: Final = 36_000
"""Twilio's ValidityPeriod default and maximum, ten hours."""


def may_move(before: Status, after: Status) -> bool:
    """Say whether a message in state `before` may enter `after`. A state never follows itself."""
    return after in MOVES[before]


class Message(msgspec.Struct, frozen=True, kw_only=False):
    """One text or media message. Fields stand in the order of the table's columns.

    Addresses are spelled as the APIs spell them (`+15551234567`, `12345`, `ACME`, `whatsapp:+1...`).
    """

    account_id: bytes
    id: bytes
    direction: Direction
    dialect: Dialect
    kind: Kind
    status: Status
    sender: str | None
    """None until a messaging service has chosen one."""
    recipient: str
    body: str
    """Empty once redacted."""
    segments: int
    num_media: int
    service_id: bytes | None
    status_callback: str | None
    created_at: int
    updated_at: int
    sent_at: int | None
    expires_at: int | None
    """After this a message that was not submitted fails with 30036."""
    carrier: str | None
    """The carrier that took it, or that it came from."""
    error_code: int | None
    """Twilio's number; the SignalWire dialect has a table from it to its own words."""
    error_message: str | None
    uncertain: int
    """1 once a submit's outcome was never learned: it may have been sent twice or not at all."""
    deleted_at: int | None
    extras: str | None
    """JSON object of what has no column: feedback, tags, custom variables, what is not kept (model/retention.py)..."""
    price: int | None = None
    """What sending it costs, in millionths of a US dollar; charged once it was sent. None: nothing is charged."""

    @property
    def is_outbound(self) -> bool:
        """Whether we send it."""
        return self.direction != "inbound"


class Media(msgspec.Struct, frozen=True):
    """One attachment. `content_hash` (SHA-256) is None until an outbound URL was fetched."""

    id: bytes
    account_id: bytes
    message_id: bytes
    position: int
    source_url: str | None
    content_type: str | None
    size: int | None
    """Octets."""
    content_hash: bytes | None
    created_at: int
    deleted_at: int | None


class Pending(msgspec.Struct, frozen=True):
    """What waits to be dispatched: one row per message, gone once a carrier answered for good."""

    message_id: bytes
    account_id: bytes
    sender: str
    node: bytes | None
    """The node that holds it. None: whoever claims it first when it is due."""
    due_at: int
    expires_at: int
    attempts: int
    waiting_for: str | None
    """Why it is not sent yet: pace, schedule, quiet_hours, carrier_down, throttled, media, lost (its message is not
    there); after a submit submitting (its answer has yet to come), receipt or resend (its outcome is not known). None:
    it is due.
    """
