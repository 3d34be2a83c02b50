"""What a message leaves that is not kept: its word on consent, once, however often its carrier brings it."""

from collections.abc import Sequence

from parley.model.consent import ConsentChange
from parley.store import opt_outs, schema
from parley.store.accept import IdempotencyKey, recall
from parley.store.engine.statements import Insert, Operation


def hear(
    account_id: bytes, key: IdempotencyKey, message_id: bytes, at: int, said: Sequence[ConsentChange]
) -> Operation[bytes]:
    """Note what a message says, unless one with its key came before. The id of whichever was the first."""
    before = yield from recall(account_id, key)
    if before is not None:
        return before
    yield Insert(schema.idempotency, [(account_id, key.key, message_id, key.fingerprint, at)])
    yield from opt_outs.apply(said)
    return message_id
