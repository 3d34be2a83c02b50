"""Keep what operators set while Parley runs, such as the simulator's faults: JSON by key."""

from parley.store import schema
from parley.store.engine.statements import Lookup, Operation, Upsert


def fetch(key: str) -> Operation[str | None]:
    """The JSON under a key."""
    rows = yield Lookup(schema.settings, ("value",), ("key",), [(key,)])
    return rows[0][0] if rows else None


def put(key: str, value: str, at: int) -> Operation[None]:
    """Set the JSON under a key."""
    yield Upsert(schema.settings, [(key, value, at)])
