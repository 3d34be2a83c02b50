"""Keep short links: taken with their messages, found by their codes, their clicks counted."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import json
from msgspec.structs import astuple, fields
from sqlalchemy import delete, select

from parley.model.callback import Callback
from parley.model.link import Link, LinkDomain
from parley.store import schema
from parley.store.engine.statements import Delete, Execute, Insert, Lookup, Operation, Query, Update

DOMAIN: Final = "link_domain"
"""What domains are among the resources."""
_COLUMNS: Final = tuple(field.name for field in fields(Link))
_domain: Final = json.Decoder(LinkDomain).decode


class Click(msgspec.Struct, frozen=True):
    """Somebody followed a link; `callback` tells the link's owner."""

    code: str
    at: int
    callback: Callback | None = None


def keep(wanted: Mapping[int, Sequence[Link]]) -> Operation[set[int]]:
    """Keep links by whose they are. Whose were not, since a code of theirs is another's, is returned."""
    links = [link for each in wanted.values() for link in each]
    yield Insert(schema.links, [astuple(link) for link in links], ignore=True)
    # Asked again rather than before: another node may have taken a code in this very moment.
    rows = yield Lookup(schema.links, ("code", "message_id"), ("code",), [(link.code,) for link in links])
    holders = {row[0]: row[1] for row in rows}
    taken = {n for n, each in wanted.items() if any(holders[link.code] != link.message_id for link in each)}
    theirs = [link for n in sorted(taken) for link in wanted[n] if holders[link.code] == link.message_id]
    yield Delete(schema.links, ("code",), [(link.code,) for link in theirs])
    return taken


def find(code: str) -> Operation[Link | None]:
    """The link of a code, also one that has expired."""
    rows = yield Lookup(schema.links, _COLUMNS, ("code",), [(code,)])
    return Link(*rows[0]) if rows else None


def of_message(message_id: bytes) -> Operation[list[Link]]:
    """The links in a message, by code."""
    rows = yield Lookup(schema.links, _COLUMNS, ("message_id",), [(message_id,)])
    return sorted((Link(*row) for row in rows), key=lambda link: link.code)


def domain(domain_id: bytes) -> Operation[LinkDomain | None]:
    """The domain of an id, whichever account's it is."""
    rows = yield Lookup(schema.resources, ("data",), ("id", "kind"), [(domain_id, DOMAIN)])
    return _domain(rows[0][0]) if rows else None


def click(clicks: Sequence[Click]) -> Operation[list[None]]:
    """Count clicks, and owe what tells of them. For a lane."""
    # In one order everywhere, or two nodes might each wait for a row that the other has locked.
    codes = [(code,) for code in sorted({click.code for click in clicks})]
    rows = yield Lookup(schema.links, ("code", "clicks", "last_click_at"), ("code",), codes, lock=True)
    known = {code: (count, last_at or 0) for code, count, last_at in rows}
    for each in clicks:
        if each.code in known:
            count, last_at = known[each.code]
            known[each.code] = (count + 1, max(last_at, each.at))
    yield Update(
        schema.links, ("clicks", "last_click_at"), ("code",), [(*counted, code) for code, counted in known.items()]
    )
    yield Insert(schema.callbacks, [astuple(each.callback) for each in clicks if each.callback is not None])
    return [None] * len(clicks)


def purge(now: int, limit: int) -> Operation[int]:
    """Forget at most `limit` links that have expired; how many there were."""
    table = schema.links.c
    rows = yield Query(select(table.code).where(table.expires_at <= now).order_by(table.expires_at).limit(limit))
    yield Execute(delete(schema.links).where(table.code.in_([row[0] for row in rows])))
    return len(rows)
