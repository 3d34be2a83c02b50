"""Keep calls: each is there from its beginning, told of on its way by the node that carries it out, and ended by
another when that one died.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import json
from msgspec.structs import replace
from sqlalchemy import and_, select

from parley.lib.ids import parse_uuid, to_uuid
from parley.model import retention
from parley.model.call import TEXT, Call, Placed, text_key, texts_of
from parley.model.message import Message
from parley.store import messages, schema
from parley.store.accept import IdempotencyKey, recall
from parley.store.engine.statements import Execute, Insert, Lookup, Operation, Query, Row

_table: Final = schema.calls.c
_decode: Final = json.Decoder(Call).decode
_KEYED: Final = ("account_id", "key")
_CUT_OFF: Final = {
    "method": "error",
    "code": "call_cut_off",
    "reason": "the server that carried the call out stopped before its end",
}


def begin(
    placed: Placed, account_id: bytes, node: bytes | None, key: IdempotencyKey | None = None
) -> Operation[bytes | None]:
    """Keep a call that `node` carries out from now on, None for one that is over. The call's id, or that of the one
    which the same request with this key made before; None when the key was another request's.
    """
    named = (None, None) if key is None else (key.key, key.fingerprint)
    row = (placed.id, account_id, node, *named, json.encode(placed.call).decode())
    yield Insert(schema.calls, [row], ignore=True)
    if key is None:
        return placed.id
    rows = yield Lookup(schema.calls, ("id", "fingerprint"), _KEYED, [(account_id, key.key)])
    return next((call_id for call_id, fingerprint in rows if fingerprint == key.fingerprint), None)


def tell(placed: Placed, node: bytes) -> Operation[bool]:
    """Keep what has become of a call that `node` carries out, which lets go of it once it is over. False, and nothing
    changed, when it is not that node's any more.
    """
    held_by = node if placed.call.status == "in-progress" else None
    where = and_(_table.id == placed.id, _table.node == node)
    changed = yield Execute(
        schema.calls.update()
        .where(where)
        .values(node=held_by, data=json.encode(placed.call).decode())
        .returning(_table.id)
    )
    return bool(changed)


def fetch(account_id: bytes, call_id: bytes) -> Operation[Placed | None]:
    """One of the account's calls, with its messages' texts as they may be shown."""
    rows = yield Lookup(schema.calls, ("id", "data"), ("id", "account_id"), [(call_id, account_id)])
    return next(iter((yield from _shown(account_id, rows))), None)


def newest(account_id: bytes, limit: int) -> Operation[list[Placed]]:
    """Up to `limit` of the account's calls, the newest first."""
    rows = yield Query(
        select(_table.id, _table.data).where(_table.account_id == account_id).order_by(_table.id.desc()).limit(limit)
    )
    return (yield from _shown(account_id, rows))


def _shown(account_id: bytes, rows: Sequence[Row]) -> Operation[list[Placed]]:
    kept = [(call_id, _decode(data)) for call_id, data in rows]
    ids = {
        entry["message_id"]: parse_uuid(entry["message_id"])
        for _, call in kept
        for entry in call.transcript
        if _was_sent(entry)
    }
    sent = yield from messages.fetch_many([(account_id, each) for each in ids.values() if each is not None])
    bodies = {spelled: _body(sent.get(each)) for spelled, each in ids.items() if each is not None}
    return [
        Placed(call_id, replace(call, transcript=tuple(_with_body(entry, bodies) for entry in call.transcript)))
        for call_id, call in kept
    ]


def _with_body(entry: dict[str, Any], bodies: Mapping[str, str]) -> dict[str, Any]:
    return {**entry, "body": bodies.get(entry["message_id"], "")} if _was_sent(entry) else entry


def _was_sent(entry: dict[str, Any]) -> bool:
    return entry["method"] == TEXT and entry["message_id"] is not None


def _body(message: Message | None) -> str:
    return retention.shown(message).body if message is not None and message.deleted_at is None else ""


def cut_off(limit: int) -> Operation[list[bytes]]:
    """Up to `limit` calls that nobody carries out any more: their nodes are not entered."""
    alive = select(schema.nodes.c.id)
    rows = yield Query(select(_table.id).where(and_(_table.node.is_not(None), _table.node.not_in(alive))).limit(limit))
    return [row[0] for row in rows]


def held(node: bytes) -> Operation[set[bytes]]:
    """The calls that a node carries out, as far as the record knows."""
    rows = yield Query(select(_table.id).where(_table.node == node))
    return {row[0] for row in rows}


def end(call_ids: Sequence[bytes], node: bytes, now: int) -> Operation[int]:
    """End those of these calls that nobody carries out, or `node` itself, and say so in them; how many. The text that
    one was sending when it was cut off is told too, if it was sent.
    """
    alive = select(schema.nodes.c.id).where(schema.nodes.c.id != node)
    is_cut_off = and_(_table.node.is_not(None), _table.node.not_in(alive))
    rows = yield Query(
        select(_table.id, _table.account_id, _table.data)
        .where(and_(_table.id.in_(tuple(call_ids)), is_cut_off))
        .with_for_update(skip_locked=True)
    )
    for call_id, account_id, data in rows:
        call = _decode(data)
        last = yield from _untold(account_id, call_id, call)
        ended = replace(call, status="failed", ended_at=now, transcript=(*call.transcript, *last, _CUT_OFF))
        yield Execute(
            schema.calls.update().where(_table.id == call_id).values(node=None, data=json.encode(ended).decode())
        )
    return len(rows)


def _untold(account_id: bytes, call_id: bytes, call: Call) -> Operation[list[dict[str, Any]]]:
    key = IdempotencyKey(text_key(call_id, texts_of(call.transcript) + 1), b"")
    message_id = yield from recall(account_id, key)
    found = {} if message_id is None else (yield from messages.fetch_many([(account_id, message_id)]))
    return [
        {
            "method": TEXT,
            "to": message.recipient,
            "from": message.sender,
            "result": "success",
            "message_id": to_uuid(message.id),
            "reason": None,
        }
        for message in found.values()
    ]
