"""A client for messaging over Relay, SignalWire's WebSocket protocol: with SignalWire's own service, or with a Parley.

docs/signalwire.md shows how it is used.
"""

from parley.realtime.client import Client
from parley.realtime.errors import Dropped, RealtimeError, Refused, Unauthorized, Unreachable
from parley.realtime.messaging import Message, Messaging, Sent

__all__ = [
    "Client",
    "Dropped",
    "Message",
    "Messaging",
    "RealtimeError",
    "Refused",
    "Sent",
    "Unauthorized",
    "Unreachable",
]
