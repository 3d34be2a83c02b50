"""Relay: events that a connected client is owed, and the sessions that take them."""

import msgspec

KEY = "relay"
"""Where a message's extras say to which clients its states are told."""


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whom a message's states are told by Relay, as its extras keep it under `KEY`."""

    context: str
    """The context that it was sent in, or that its number's messages go to."""
    to: str | None = None
    """The session, by its protocol, that hears of it before all others of the context."""
    tags: tuple[str, ...] = ()
    """What the client labelled it with."""


class RelayEvent(msgspec.Struct, frozen=True):
    """One event to tell, durable until a client has it or it is given up. Those of one message are told by `seq`."""

    seq: int
    account_id: bytes
    target: str
    """Who may have it: whoever receives this context, or the one session of this protocol."""
    context: str
    """What the client is told as the event's context."""
    message_id: bytes
    status: str
    """The state that it tells of, which may not be the message's latest."""
    error_code: int | None
    at: int
    node: bytes | None
    """The node that is telling it. None: whoever claims it first."""


class RelaySession(msgspec.Struct, frozen=True):
    """One client's session. It outlives its connection for a while, so that a client which comes back gets it again."""

    protocol: str
    """Its name, which the client gives to have it restored."""
    account_id: bytes
    contexts: str
    """JSON list of what it receives."""
    node: bytes | None
    """Where it is connected. None: nowhere."""
    updated_at: int
