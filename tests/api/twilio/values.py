"""Values to render: an account, messages both ways, their media and callbacks, all with fixed ids and times."""

from typing import Any, Final

from msgspec.structs import replace

from parley.lib.redaction import Secret
from parley.model.account import Account
from parley.model.callback import Callback
from parley.model.message import Media, Message

AT: Final = 1_750_327_201_500_000
"""2025-06-19T10:00:01.5Z."""
TOKEN: Final = "12345"
PUBLIC_URL: Final = "https://parley.example"

ACCOUNT: Final = Account(
    id=bytes(range(16)),
    name="Golden",
    status="active",
    opt_out_handling="number",
    auth_token=Secret(TOKEN),
    signing_key=Secret("PSK_another"),
    previous_auth_token=None,
    previous_valid_until=None,
    created_at=AT,
    updated_at=AT,
)
OUTBOUND: Final = Message(
    account_id=ACCOUNT.id,
    id=bytes.fromhex("0197879f6b5c7abc8def0123456789ab"),
    direction="outbound-api",
    dialect="twilio",
    kind="sms",
    status="sent",
    sender="+14155550100",
    recipient="+12125550123",
    body="Grüße & 100 % 👋",
    segments=1,
    num_media=0,
    service_id=None,
    status_callback="https://app.example/status?tenant=1&x=a%20b",
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
    id=bytes.fromhex("0197879f6b5d7abc8def0123456789ab"),
    direction="inbound",
    status="received",
    sender=OUTBOUND.recipient,
    recipient=OUTBOUND.sender or "",
    status_callback=None,
    expires_at=None,
)
PICTURE: Final = Media(
    id=bytes.fromhex("0197879f6b5e7abc8def0123456789ab"),
    account_id=ACCOUNT.id,
    message_id=INBOUND.id,
    position=0,
    source_url=None,
    content_type="image/png",
    size=3,
    content_hash=b"\x01" * 32,
    created_at=AT,
    deleted_at=None,
)
CALLBACK: Final = Callback(
    id=bytes.fromhex("0197879f6b5f7abc8def0123456789ab"),
    account_id=ACCOUNT.id,
    message_id=OUTBOUND.id,
    kind="status",
    dialect="twilio",
    url="https://app.example/status?tenant=1&x=a%20b#rc=2&rt=3000",
    method="POST",
    fallback_url=None,
    fallback_method="POST",
    status="sent",
    error_code=None,
    data=None,
    created_at=AT,
    state="pending",
    node=None,
    due_at=AT,
    attempts=0,
    outcome=None,
    finished_at=None,
)


def outbound(**changes: Any) -> Message:
    """Return the golden outbound message with changes."""
    return replace(OUTBOUND, **changes)


def callback(**changes: Any) -> Callback:
    """Return the golden callback with changes."""
    return replace(CALLBACK, **changes)
