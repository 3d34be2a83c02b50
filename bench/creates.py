"""The requests of a run, as bytes: creates of both dialects, each to a recipient of its own choosing."""

import base64
import random
from collections.abc import Callable
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from tests.node import ACCOUNT_SID, AUTH_TOKEN

SENDER = "+15551234567"
BODY = "Your table for two is booked for tonight at half past seven. Reply C to cancel."

Build = Callable[[random.Random, str | None], bytes]


def twilio(chance: random.Random, callback: str | None, service: str | None = None) -> bytes:
    """Build a form-encoded create of Twilio's API, of a messaging service where its SID is given."""
    fields = {"To": recipient(chance), "Body": BODY}
    fields |= {"From": SENDER} if service is None else {"MessagingServiceSid": service}
    if callback is not None:
        fields["StatusCallback"] = callback
    path = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Messages.json"
    return _post(path, ACCOUNT_SID, "application/x-www-form-urlencoded", urlencode(fields).encode())


def signalwire(chance: random.Random, callback: str | None) -> bytes:
    """Build a JSON create of SignalWire's API."""
    fields = {"to": recipient(chance), "from": SENDER, "body": BODY}
    if callback is not None:
        fields["status_callback"] = callback
    project = str(UUID(ACCOUNT_SID[2:]))
    return _post("/api/messaging/messages", project, "application/json", msgspec.json.encode(fields))


DIALECTS: dict[str, Build] = {"twilio": twilio, "signalwire": signalwire}


def recipient(chance: random.Random) -> str:
    """Pick a number of the North American plan."""
    return f"+1{chance.choice((212, 303, 415, 512, 617, 702))}{chance.randrange(2, 10)}{chance.randrange(10**6):06d}"


def _post(path: str, user: str, content_type: str, body: bytes) -> bytes:
    credentials = base64.b64encode(f"{user}:{AUTH_TOKEN}".encode()).decode()
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: bench\r\naccept: application/json\r\n"
        f"authorization: Basic {credentials}\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
