"""Values to render, with fixed ids and times: an account, messages of both directions, media, callbacks, a number."""

from typing import Any, Final

from msgspec.structs import replace

from parley.lib.redaction import Secret
from parley.model.account import Account
from parley.model.callback import Callback
from parley.model.message import Media, Message
from parley.model.number import Number

AT: Final = 1_736_937_000_123_456
"""2025-01-15T10:30:00.123456Z."""
SIGNING_KEY: Final = "PSK_golden-signing-key"
LINK_KEY: Final = b"golden link key"
PUBLIC_URL: Final = "https://parley.example"

ACCOUNT: Final = Account(
    id=bytes(range(16)),
    name="Golden",
    status="active",
    opt_out_handling="number",
    auth_token=Secret("golden-token"),
    signing_key=Secret(SIGNING_KEY),
    previous_auth_token=None,
    previous_valid_until=None,
    created_at=AT,
    updated_at=AT,
)
OUTBOUND: Final = Message(
    account_id=ACCOUNT.id,
    id=bytes.fromhex("019469e3f5c17abc8def0123456789ab"),
    direction="outbound-api",
    dialect="signalwire",
    kind="sms",
    status="sent",
    sender="+15551234567",
    recipient="+15559876543",
    body="Hello! Grüße 👋",
    segments=1,
    num_media=0,
    service_id=None,
    status_callback="https://app.example/status?tenant=1",
    created_at=AT,
    updated_at=AT,
    sent_at=AT,
    expires_at=AT + 36_000_000_000,
    carrier="simulator",
    error_code=None,
    error_message=None,
    uncertain=0,
    deleted_at=None,
    extras=None,
)
INBOUND: Final = replace(
    OUTBOUND,
    id=bytes.fromhex("019469e3f5c27abc8def0123456789ab"),
    direction="inbound",
    status="received",
    sender="+15559876543",
    recipient="+15551234567",
    status_callback=None,
    expires_at=None,
)
PICTURE: Final = Media(
    id=bytes.fromhex("019469e3f5c37abc8def0123456789ab"),
    account_id=ACCOUNT.id,
    message_id=INBOUND.id,
    position=0,
    source_url=None,
    content_type="image/png",
    size=68,
    content_hash=b"\x01" * 32,
    created_at=AT,
    deleted_at=None,
)
CALLBACK: Final = Callback(
    id=bytes.fromhex("019469e3f5c47abc8def0123456789ab"),
    account_id=ACCOUNT.id,
    message_id=OUTBOUND.id,
    kind="status",
    dialect="signalwire",
    url="https://app.example/status?tenant=1",
    method="POST",
    fallback_url=None,
    fallback_method="POST",
    status="sent",
    error_code=None,
    data=None,
    created_at=AT + 1_500_000,
    state="pending",
    node=None,
    due_at=AT + 1_500_000,
    attempts=0,
    outcome=None,
    finished_at=None,
)
NUMBER: Final = Number(
    id=bytes.fromhex("019469e3f5c57abc8def0123456789ab"),
    account_id=ACCOUNT.id,
    address="+15551234567",
    name="+15551234567",
    dialect="twilio",
    handler=None,
    request_url=None,
    request_method="POST",
    fallback_url=None,
    fallback_method="POST",
    status_callback=None,
    status_callback_method="POST",
    can_sms=1,
    can_mms=1,
    can_whatsapp=1,
    created_at=AT,
    updated_at=AT,
    extras=None,
)


def outbound(**changes: Any) -> Message:
    """Return the golden outbound message with changes."""
    return replace(OUTBOUND, **changes)


def callback(**changes: Any) -> Callback:
    """Return the golden callback with changes."""
    return replace(CALLBACK, **changes)
