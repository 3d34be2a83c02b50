"""Relay: events that a connected client is owed, and the sessions that take them."""

from typing import Final

import msgspec

KEY: Final = "relay"
"""Where a message's extras say who is told of it by Relay."""
MOST_CONTEXTS: Final = 1000
"""Contexts that one session receives."""
_MARK: Final = f'"{KEY}"'


class Told(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who is told of a message by Relay, as its extras keep it under `KEY`."""

    context: str
    """The context that it was sent in, or that its number's messages go to."""
    to: str | None = None
    """The session, by its protocol, that hears of it before all others of the context."""


class _Extras(msgspec.Struct):
    relay: Told | None = None


_decode: Final = msgspec.json.Decoder(_Extras).decode


def told_of(extras: str | None) -> Told | None:
    """Who is told of a message with these extras; None for nobody."""
    if extras is None or _MARK not in extras:
        return None  # nearly all
    return _decode(extras).relay


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
    taken_from: bytes | None = None
    """The node that has its old connection, and is to end it, since the client came to another."""
