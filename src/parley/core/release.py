"""Release: let messages go that were put off to a later time, and put off those that would come in quiet hours."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from parley.core import outcomes
from parley.core.accounts import Accounts
from parley.core.allowances import Allowances
from parley.core.outcomes import IN_DOUBT, Due
from parley.core.pacing import MOST_WAIT_US, slot_us
from parley.core.record import Record
from parley.core.refusal import Reason, Refused
from parley.core.schedule import Schedule
from parley.core.send import OBJECTION, OVERFLOW, Sending
from parley.core.senders import Load, Route, Senders
from parley.core.services import Services
from parley.lib.clock import Clock
from parley.model import address as addresses
from parley.model.message import Message
from parley.store.accept import Intake
from parley.store.changes import Change
from parley.store.scheduled import PUT_OFF
from parley.store.stickies import Doom

CODES: Final[dict[Reason, int]] = {
    "account_suspended": 30002,
    "funds_spent": 30002,
    "service_unknown": 21701,
    "no_fitting_sender": 21703,
    "pool_empty": 21704,
    "sender_not_in_pool": 21711,
    "sender_is_caller_id": 21659,
    "sender_not_owned": 21659,
    "sender_of_another_account": 21660,
    "sender_not_ready": 63007,
    "sender_cannot_sms": 21606,
    "sender_cannot_mms": 21621,
    "country_not_enabled": 21408,
    "recipient_is_landline": 30006,
    "recipient_is_premium": 21268,
    "recipient_unroutable": 21612,
}
"""Twilio's number for what a new message would be refused for; one that was taken before fails by it."""
_UNKNOWN: Final = 30008


class Release:
    """Stands between what is due and the carrier. Whatever is decided of a new message is decided here of a later one:
    its sender, its recipient's consent, its place in the pace.
    """

    def __init__(
        self,
        record: Record,
        schedule: Schedule,
        sending: Sending,
        senders: Senders,
        services: Services,
        accounts: Accounts,
        allowances: Allowances,
        clock: Clock,
    ) -> None:
        self._record = record
        self._schedule = schedule
        self._sending = sending
        self._senders = senders
        self._services = services
        self._accounts = accounts
        self._allowances = allowances
        self._clock = clock

    async def admit(self, batch: Sequence[Due]) -> tuple[Sequence[Due], list[Change]]:
        """Those of what is due that go on to the carrier, as they are by now, and what is to be recorded of others.

        The rest waits on or has ended, in the record. Raises StoreUnavailable.
        """
        now = self._clock.now()
        kinds = {(message.account_id, message.service_id, message.direction) for _, message in batch}
        hours = {kind: kept for kind in kinds if (kept := await self._schedule.hours(*kind)) is not None}
        stopped = {account_id for account_id in {kind[0] for kind in kinds} if await self._is_stopped(account_id)}
        if not hours and not stopped and not any(waits.waiting_for in PUT_OFF for waits, _ in batch):
            return batch, []
        going: list[Due] = []
        changes: list[Change] = []
        later: list[Due] = []
        for item in batch:
            waits, message = item
            kept = hours.get((message.account_id, message.service_id, message.direction))
            if waits.expires_at <= now or waits.waiting_for in IN_DOUBT:
                going.append(item)
            elif message.account_id in stopped:
                changes.append(outcomes.end(item, now, "failed", CODES["account_suspended"], None))
            elif kept is not None and (until := self._schedule.until(kept, message.recipient, now)) > now:
                changes.append(outcomes.again(item, self._record.node, now, until, waits.attempts, "quiet_hours"))
            elif waits.waiting_for in PUT_OFF:
                later.append(item)
            else:
                going.append(item)
        if later:
            going += await self._release(later)
        return going, changes

    async def _is_stopped(self, account_id: bytes) -> bool:
        account = await self._accounts.by_id(account_id)
        return account is not None and account.status != "active"

    async def _release(self, items: Sequence[Due]) -> list[Due]:
        """Decide of these in one transaction; those that may go now."""
        intakes = [(item[1], await self._intake(item)) for item in items]
        decisions = await self._record.release(intakes)
        return [
            (decision.pending, decision.message)
            for decision in decisions
            if decision.pending is not None and decision.pending.node is not None
        ]

    async def _intake(self, item: Due) -> Intake:
        waits, before = item
        now = max(self._clock.now(), before.updated_at + 1)
        message = replace(before, status="queued", updated_at=now)
        waits = replace(waits, due_at=now, waiting_for=None)
        moved = self._sending.callbacks(message, "queued", now) if before.status != "queued" else ()
        ending = next(iter(self._sending.callbacks(message, "failed", now + 1)), None)
        try:
            route = await self._route(waits.sender, before)
        except Refused as error:
            doom = Doom("failed", CODES.get(error.reason, _UNKNOWN))
            return Intake(message, waits, callbacks=moved, doom=doom, ending=ending)
        message, waits = replace(message, sender=route.sender.text), replace(waits, sender=route.sender.text)
        return Intake(
            message,
            waits,
            callbacks=moved,
            must_consent=True,
            objection=OBJECTION,
            scope=route.scope,
            slot_us=slot_us(route.segment_us, message.segments),
            most_wait_us=MOST_WAIT_US,
            overflow=OVERFLOW,
            doom=route.doom,
            ending=ending,
            choice=route.choice,
        )

    async def _route(self, sender: str, message: Message) -> Route:
        account_id = message.account_id
        account = await self._accounts.by_id(account_id)
        if account is None or account.status != "active":
            raise Refused("account_suspended")
        named, recipient = addresses.read(sender) if sender else None, addresses.read(message.recipient)
        await self._allowances.check(account, recipient)
        # Whether a landline may be written to was asked when the message was taken.
        load = Load(recipient, message.segments, message.num_media > 0, is_forced=True)
        if message.service_id is not None:
            through = await self._services.through(account_id, message.service_id)
            return await self._senders.of_service(through, load, named)
        assert named is not None, "it is missing only where a service sends"
        return await self._senders.named(account_id, named, load, message.dialect)
