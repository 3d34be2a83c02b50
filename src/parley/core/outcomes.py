"""What becomes of a message that is due: the changes that each outcome of a submit, and each reason not to, leave."""

from typing import Final, Literal

from msgspec import json

from parley.core.carrier import Accepted, Outcome, Rejected, Throttled, Uncertain, Unreachable
from parley.model.message import Message, Pending
from parley.store.changes import Change, Requeue

Due = tuple[Pending, Message]

EXPIRED: Final = 30036
UNKNOWN: Final = 30008

SUBMITTING: Final = "submitting"
"""Marks, durably and before it leaves, a message whose carrier cannot tell a repeated submit."""
_RECEIPT: Final = "receipt"
"""Waits for a late receipt, and for nothing else."""


def of_outcome(item: Due, outcome: Outcome, carrier: str, node: bytes, now: int, again_at: int) -> list[Change]:
    """What a carrier's answer changes. `again_at` is when a message goes again that has to."""
    waits, message = item
    match outcome:
        case Accepted(refs):
            data = f'{{"carrier":"{carrier}","outcome":"accepted","refs":{json.encode(refs).decode()}}}'
            account_id, message_id = message.account_id, message.id
            sent = Change(account_id, message_id, now, "sent", None, data, None, None, carrier, refs)
            if message.status == "sending":
                return [sent]
            return [Change(account_id, message_id, now, "sending"), sent]
        case Rejected(code, reason):
            told = {"carrier": carrier, "outcome": "rejected", "code": code, "reason": reason}
            return [end(item, now, "failed", code, reason or None, told, carrier)]
        case Throttled(_, reason):
            told = {"carrier": carrier, "outcome": "throttled", "reason": reason}
            return [again(item, node, now, again_at, waits.attempts, "throttled", told)]
        case Unreachable(reason):
            told = {"carrier": carrier, "outcome": "unreachable", "reason": reason}
            return [again(item, node, now, again_at, waits.attempts + 1, "carrier_down", told)]
        case Uncertain(reason):
            return [in_doubt(item, now, reason, carrier)]


def mark(item: Due, node: bytes, now: int) -> Change:
    """It leaves now. Happens only while the node still holds it: what is another's by now is not sent twice."""
    waits, message = item
    terms = Requeue(node, waits.due_at, waits.attempts, SUBMITTING)
    return Change(message.account_id, message.id, now, "sending", only_if_held_by=node, requeue=terms)


def again(
    item: Due,
    node: bytes,
    now: int,
    due_at: int,
    attempts: int,
    waiting_for: str,
    told: dict[str, object] | None = None,
) -> Change:
    """It goes again at `due_at`, or is looked at when it expires. A node that lost it has no word in that."""
    waits, message = item
    return Change(
        message.account_id,
        message.id,
        now,
        kind="submit" if told else None,
        data=json.encode(told).decode() if told else None,
        only_if_held_by=node,
        requeue=Requeue(None, min(due_at, waits.expires_at), attempts, waiting_for),
    )


def end(
    item: Due,
    now: int,
    status: Literal["failed", "undelivered"],
    code: int,
    reason: str | None,
    told: dict[str, object] | None = None,
    carrier: str | None = None,
) -> Change:
    """It ends here, with a code of Twilio's."""
    _, message = item
    data = json.encode(told or {"code": code, "reason": reason}).decode()
    return Change(
        message.account_id, message.id, now, status, data=data, error_code=code, error_message=reason, carrier=carrier
    )


def in_doubt(item: Due, now: int, reason: str, carrier: str | None = None) -> Change:
    """It waits for a late receipt until it expires, and is never submitted again."""
    waits, message = item
    told = {"carrier": carrier, "outcome": "uncertain", "reason": reason}
    return Change(
        message.account_id,
        message.id,
        now,
        "sending",
        data=json.encode(told).decode(),
        carrier=carrier,
        uncertain=True,
        requeue=Requeue(None, waits.expires_at, waits.attempts, _RECEIPT),
    )


def without_submit(item: Due, node: bytes, now: int) -> Change | None:
    """What becomes of a message that is not submitted, whatever the carrier would say; None when it is."""
    waits, message = item
    if waits.waiting_for == SUBMITTING:
        return in_doubt(item, now, "the node stopped while submitting")
    if message.uncertain:
        if now < waits.expires_at:
            return again(item, node, now, waits.expires_at, waits.attempts, _RECEIPT)
        return end(item, now, "undelivered", UNKNOWN, "No receipt came within the validity period")
    if waits.expires_at <= now:
        return end(item, now, "failed", EXPIRED, "Validity period expired before it was sent")
    return None
