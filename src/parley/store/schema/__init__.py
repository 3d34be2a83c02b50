"""The one definition of every table, for both engines.

Ids are 16 raw bytes and times microseconds in a BIGINT on both, so that rows need no conversion on the hot path.
Columns stand in the order of the model's fields. Lists are keyset ranges over time-ordered ids.
"""

from parley.store.schema.definition import metadata
from parley.store.schema.servers import nodes, settings
from parley.store.schema.simulator import arrivals, calls, due_receipts, phones
from parley.store.schema.telling import callbacks, cookies, relay_events, relay_sessions
from parley.store.schema.tenants import accounts, api_keys, consent_changes, numbers, opt_outs, resources, usage
from parley.store.schema.traffic import (
    events,
    forgetting,
    idempotency,
    links,
    media,
    media_content,
    messages,
    orphans,
    paces,
    pending,
    refs,
)

__all__ = [
    "accounts",
    "api_keys",
    "arrivals",
    "callbacks",
    "calls",
    "consent_changes",
    "cookies",
    "due_receipts",
    "events",
    "forgetting",
    "idempotency",
    "links",
    "media",
    "media_content",
    "messages",
    "metadata",
    "nodes",
    "numbers",
    "opt_outs",
    "orphans",
    "paces",
    "pending",
    "phones",
    "refs",
    "relay_events",
    "relay_sessions",
    "resources",
    "settings",
    "usage",
]
