"""Let one node at a time lead in what one node is enough for: a row of the settings that ends by itself."""

from msgspec import json

from parley.store import schema
from parley.store.engine.statements import Operation, Upsert
from parley.store.locking import lock


def lead(name: str, node: bytes, now: int, until: int) -> Operation[bool]:
    """Lead, or go on leading, until a time. False while another node leads."""
    key = f"leader.{name}"
    (held,) = yield from lock(schema.settings, ("value",), ("key",), (key, "{}", now))
    lease = json.decode(held)
    if lease.get("node", node.hex()) != node.hex() and lease["until"] > now:
        return False
    yield Upsert(schema.settings, [(key, json.encode({"node": node.hex(), "until": until}).decode(), now)])
    return True
