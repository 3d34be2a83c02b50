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
_RESEND: Final = "resend"
"""Goes again, though it may have been sent, because the policy says so."""
IN_DOUBT: Final = frozenset({SUBMITTING, _RECEIPT, _RESEND})
"""What a message waits for that may have been sent."""

UncertainPolicy = Literal["hold", "resend"]
"""hold: what may have been sent is never submitted again. resend: it is, and may arrive twice."""


def of_outcome(
    item: Due, outcome: Outcome, carrier: str, node: bytes, now: int, again_at: int, policy: UncertainPolicy
) -> list[Change]:
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
            if message.uncertain:  # this submit of it; an earlier one may have been taken
                return [_held(item, now, carrier, told)]
            return [end(item, now, "failed", code, reason or None, told, carrier)]
        case Throttled(_, reason):
            told = {"carrier": carrier, "outcome": "throttled", "reason": reason}
            return [again(item, node, now, again_at, waits.attempts, "throttled", told)]
        case Unreachable(reason):
            told = {"carrier": carrier, "outcome": "unreachable", "reason": reason}
            return [again(item, node, now, again_at, waits.attempts + 1, "carrier_down", told)]
        case Uncertain(reason):
            return [in_doubt(item, now, again_at, reason, policy, carrier)]


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
        requeue=Requeue(None, min(due_at, waits.expires_at), attempts, _doubted(message, waiting_for)),
    )


def _doubted(message: Message, waiting_for: str) -> str:
    """Why it waits; of a message that may have been sent, that it does comes first."""
    return _RESEND if message.uncertain and waiting_for != _RECEIPT else waiting_for


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


def in_doubt(
    item: Due, now: int, again_at: int, reason: str, policy: UncertainPolicy, carrier: str | None = None
) -> Change:
    """It may have been sent. It waits for a late receipt until it expires, or goes again at `again_at`."""
    waits, _ = item
    told: dict[str, object] = {"carrier": carrier, "outcome": "uncertain", "reason": reason}
    if policy == "hold":
        return _held(item, now, carrier, told)
    return _doubt(item, now, carrier, told, Requeue(None, min(again_at, waits.expires_at), waits.attempts + 1, _RESEND))


def _held(item: Due, now: int, carrier: str | None, told: dict[str, object]) -> Change:
    waits, _ = item
    return _doubt(item, now, carrier, told, Requeue(None, waits.expires_at, waits.attempts, _RECEIPT))


def _doubt(item: Due, now: int, carrier: str | None, told: dict[str, object], terms: Requeue) -> Change:
    _, message = item
    data = json.encode(told).decode()
    return Change(
        message.account_id, message.id, now, "sending", data=data, carrier=carrier, uncertain=True, requeue=terms
    )


def without_submit(item: Due, node: bytes, now: int, again_at: int, policy: UncertainPolicy) -> Change | None:
    """What becomes of a message that is not submitted, whatever the carrier would say; None when it is."""
    waits, message = item
    if waits.waiting_for == SUBMITTING:
        return in_doubt(item, now, again_at, "the node stopped while submitting", policy)
    if waits.expires_at <= now:
        return expired(item, now)
    if message.uncertain:
        if policy == "resend" and waits.waiting_for != _RECEIPT:
            return None
        return again(item, node, now, waits.expires_at, waits.attempts, _RECEIPT)
    return None


def expired(item: Due, now: int) -> Change:
    """Its time is over, and it goes no more."""
    if item[1].uncertain:
        return end(item, now, "undelivered", UNKNOWN, "No receipt came within the validity period")
    return end(item, now, "failed", EXPIRED, "Validity period expired before it was sent")
