"""Values for the store to keep: each as plain as it can be, but for what the test says."""

from typing import Any

from msgspec.structs import replace

from parley.lib.ids import Ids
from parley.model.callback import Callback
from parley.model.message import FINAL, Dialect, Media, Message, Pending, Status
from parley.model.number import Number
from parley.store import Engine
from parley.store.accept import Intake, Taken, accept
from parley.store.changes import CallbackTerms
from tests.clock import ManualClock

US = 1_000_000
CALLBACK_STATES: dict[Dialect, frozenset[Status]] = {
    "twilio": frozenset[Status]({"sent", "canceled"}) | FINAL,
    "signalwire": FINAL,
}


class Records:
    """Makes records at the clock's present, of one account unless told otherwise."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.ids = Ids(clock)
        self.account_id = self.ids.new()
        self.node = self.ids.new()
        self.terms = CallbackTerms(CALLBACK_STATES, self.ids.at, self.node)

    def message(self, **values: Any) -> Message:
        self.clock.advance(0.001)
        now = self.clock.now()
        plain = Message(
            account_id=self.account_id,
            id=self.ids.new(),
            direction="outbound-api",
            dialect="twilio",
            kind="sms",
            status="queued",
            sender="+15551234567",
            recipient="+15557654321",
            body="Hello",
            segments=1,
            num_media=0,
            service_id=None,
            status_callback=None,
            created_at=now,
            updated_at=now,
            sent_at=None,
            expires_at=now + 36_000 * US,
            carrier=None,
            error_code=None,
            error_message=None,
            uncertain=0,
            deleted_at=None,
            extras=None,
        )
        return replace(plain, **values)

    def pending(self, message: Message, **values: Any) -> Pending:
        now = message.created_at
        sender = message.sender or ""
        plain = Pending(message.id, message.account_id, sender, self.node, now, now + 36_000 * US, 0, None)
        return replace(plain, **values)

    def callback(self, message: Message, **values: Any) -> Callback:
        plain = Callback(
            id=self.ids.new(),
            account_id=message.account_id,
            message_id=message.id,
            kind="status",
            dialect="twilio",
            url="http://127.0.0.1:9/status",
            method="POST",
            fallback_url=None,
            fallback_method="POST",
            status="sent",
            error_code=None,
            data=None,
            created_at=self.clock.now(),
            state="pending",
            node=None,
            due_at=self.clock.now(),
            attempts=0,
            outcome=None,
            finished_at=None,
        )
        return replace(plain, **values)

    def media(self, message: Message, position: int = 0, **values: Any) -> Media:
        now = self.clock.now()
        plain = Media(
            self.ids.new(), message.account_id, message.id, position, "http://x/a", None, None, None, now, None
        )
        return replace(plain, **values)

    def number(self, address: str, **values: Any) -> Number:
        self.clock.advance(0.001)
        now = self.clock.now()
        plain = Number(
            id=self.ids.new(),
            account_id=self.account_id,
            address=address,
            name=address,
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
            created_at=now,
            updated_at=now,
            extras=None,
        )
        return replace(plain, **values)

    async def sent_off(self, engine: Engine, **values: Any) -> Message:
        """Put a message on the queue, as acceptance does."""
        message = self.message(**values)
        await take(engine, Intake(message, self.pending(message)))
        return message


async def take(engine: Engine, *intakes: Intake) -> None:
    """Accept intakes that nothing speaks against."""
    verdicts = await engine.write(accept, intakes)
    assert all(isinstance(verdict, Taken) for verdict in verdicts), verdicts
