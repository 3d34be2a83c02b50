"""Say what a statement's commit is news of to the other nodes: work that is nobody's, events, configuration."""

import enum
from typing import Final

from parley.store import schema
from parley.store.engine.statements import Delete, Execute, Insert, Update, Upsert

_CONFIGURATION: Final = frozenset(
    table.name
    for table in (
        schema.accounts,
        schema.api_keys,
        schema.numbers,
        schema.phones,
        schema.resources,
        schema.settings,
    )
)


class News(enum.Flag, boundary=enum.CONFORM):
    """Kinds of news. Its number goes over the wire; what another version says beyond these is dropped."""

    NONE = 0
    MESSAGES = 1
    """A message waits that no node holds."""
    CALLBACKS = 2
    """A callback waits that no node holds."""
    EVENTS = 4
    CONFIGURATION = 8
    """Accounts, keys, numbers, services and other resources, simulated phones or settings changed."""
    RELAY = 16
    """An event waits for a client of Relay, or a client took its session to another node."""
    HOSTS = 32
    """A host of callbacks answers again that was left alone: what waited for it is due."""
    ALL = 63


_WORK: Final = {schema.pending.name: News.MESSAGES, schema.callbacks.name: News.CALLBACKS}


def of(statement: Insert | Upsert | Update | Delete | Execute) -> News:
    """What the statement's commit tells."""
    table = getattr(statement.change, "table", None) if isinstance(statement, Execute) else statement.table
    name = getattr(table, "name", None)
    if name == schema.events.name:
        return News.EVENTS
    if name == schema.relay_events.name:
        is_new = isinstance(statement, Insert) and len(statement.rows) > 0
        return News.RELAY if is_new or _frees(statement) else News.NONE
    if name == schema.relay_sessions.name:
        if isinstance(statement, Update) and statement.columns == ("taken_from",) and statement.rows:
            return News.RELAY
        return News.NONE
    if name == schema.callbacks.name and isinstance(statement, Update) and statement.columns == ("due_at",):
        return News.CALLBACKS | News.HOSTS
    if name in _CONFIGURATION:
        return News.CONFIGURATION
    work = _WORK.get(name) if name is not None else None
    return work if work is not None and _frees(statement) else News.NONE


def _frees(statement: Insert | Upsert | Update | Delete | Execute) -> bool:
    """Whether any row of the queue that this writes waits and is nobody's."""
    if isinstance(statement, Execute):
        return True
    if isinstance(statement, Delete):
        return False
    columns = statement.columns if isinstance(statement, Insert | Update) else None
    names = columns or tuple(statement.table.c.keys())
    if "node" not in names:
        return False
    node = names.index("node")
    if "state" not in names:
        return any(row[node] is None for row in statement.rows)
    state = names.index("state")
    return any(row[node] is None and row[state] == "pending" for row in statement.rows)
