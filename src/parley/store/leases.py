"""Let one node at a time lead in what one node is enough for: a row of the settings that ends by itself."""

from msgspec import json

from parley.store import schema
from parley.store.engine.statements import Insert, Lookup, Operation, Upsert


def lead(name: str, node: bytes, now: int, until: int) -> Operation[bool]:
    """Lead, or go on leading, until a time. False while another node leads."""
    key = f"leader.{name}"
    held = yield Lookup(schema.settings, ("value",), ("key",), [(key,)], lock=True)
    if not held:
        # A row that is not there cannot be locked: it is made, by whichever node is first, and then locked.
        yield Insert(schema.settings, [(key, "{}", now)], ignore=True)
        held = yield Lookup(schema.settings, ("value",), ("key",), [(key,)], lock=True)
    lease = json.decode(held[0][0])
    if lease.get("node", node.hex()) != node.hex() and lease["until"] > now:
        return False
    yield Upsert(schema.settings, [(key, json.encode({"node": node.hex(), "until": until}).decode(), now)])
    return True
