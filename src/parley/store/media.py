"""Keep attachments. Octets are stored once for each content hash, and for as long as a live attachment has them."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import fields
from sqlalchemy import ColumnElement, and_, delete, select

from parley.lib import ids
from parley.model.message import Media
from parley.store import paging, schema
from parley.store.engine.statements import Execute, Insert, Lookup, Operation, Row, Update

COLUMNS: Final = tuple(field.name for field in fields(Media))

_table = schema.media.c


def of_messages(message_ids: Sequence[bytes]) -> Operation[dict[bytes, list[Media]]]:
    """The live attachments of messages, by position, under the message's id; messages without any are left out."""
    rows = yield Lookup(schema.media, COLUMNS, ("message_id",), [(id_,) for id_ in dict.fromkeys(message_ids)])
    found: dict[bytes, list[Media]] = {}
    for media in sorted((Media(*row) for row in rows), key=lambda media: media.position):
        if media.deleted_at is None:
            found.setdefault(media.message_id, []).append(media)
    return found


def fetch(account_id: bytes, message_id: bytes, media_id: bytes) -> Operation[Media | None]:
    """One live attachment."""
    keys = ("id", "message_id", "account_id")
    rows = yield Lookup(schema.media, COLUMNS, keys, [(media_id, message_id, account_id)])
    media = Media(*rows[0]) if rows else None
    return media if media is not None and media.deleted_at is None else None


def content(content_hash: bytes) -> Operation[bytes | None]:
    """The octets with this SHA-256."""
    rows = yield Lookup(schema.media_content, ("octets",), ("hash",), [(content_hash,)])
    return rows[0][0] if rows else None


def page(
    message_id: bytes,
    limit: int,
    after: bytes | None = None,
    *,
    backwards: bool = False,
    skip: int = 0,
    created_from: int | None = None,
    created_before: int | None = None,
) -> Operation[list[Media]]:
    """At most `limit` live attachments of a message newer than `after` (older, when `backwards`), oldest first."""
    conditions: list[ColumnElement[bool]] = [_table.message_id == message_id, _table.deleted_at.is_(None)]
    if created_from is not None:
        conditions.append(_table.id >= ids.floor(created_from))
    if created_before is not None:
        conditions.append(_table.id < ids.floor(created_before))
    query = select(*(_table[name] for name in COLUMNS)).where(and_(*conditions))
    rows = yield from paging.page(query, _table.id, limit, after, backwards=backwards, skip=skip, oldest_first=True)
    return [Media(*row) for row in rows]


def fill(media_id: bytes, content_type: str, size: int, content_hash: bytes, octets: bytes) -> Operation[None]:
    """Store what was fetched for an attachment: `size` octets whose SHA-256 is `content_hash`. Nothing is stored for
    one that was deleted meanwhile.
    """
    rows = yield Lookup(schema.media, ("deleted_at",), ("id",), [(media_id,)], lock=True)
    if rows != [(None,)]:
        return
    yield from keep([(content_hash, octets)])
    columns = ("content_type", "size", "content_hash")
    yield Update(schema.media, columns, ("id",), [(content_type, size, content_hash, media_id)])


def keep(contents: Sequence[Row]) -> Operation[None]:
    """Store (hash, octets) unless they are there. Until the commit nobody can drop them as unused."""
    yield Insert(schema.media_content, contents, ignore=True)
    held = yield Lookup(schema.media_content, ("hash",), ("hash",), [(digest,) for digest, _ in contents], lock=True)
    dropped = {digest for digest, _ in contents}.difference(row[0] for row in held)
    if dropped:  # by another node, between the two statements
        yield Insert(schema.media_content, [row for row in contents if row[0] in dropped], ignore=True)


def forget(account_id: bytes, message_id: bytes, media_id: bytes, at: int) -> Operation[bool]:
    """Delete one attachment, with its octets unless another has them too. False when there is none that lives."""
    found = yield from fetch(account_id, message_id, media_id)
    if found is None:
        return False
    yield Update(schema.media, ("deleted_at", "source_url"), ("id",), [(at, None, media_id)])
    if found.content_hash is not None:
        yield from _drop_unused([found.content_hash])
    return True


def forget_all_of(message_id: bytes, at: int) -> Operation[None]:
    """Delete every attachment of a message."""
    found = yield Lookup(schema.media, ("id", "content_hash", "deleted_at"), ("message_id",), [(message_id,)])
    live = [row for row in found if row[2] is None]
    yield Update(schema.media, ("deleted_at", "source_url"), ("id",), [(at, None, row[0]) for row in live])
    yield from _drop_unused([row[1] for row in live if row[1] is not None])


def _drop_unused(hashes: Sequence[bytes]) -> Operation[None]:
    """Remove the octets of these hashes that no live attachment of any message has any more."""
    if not hashes:
        return
    # Locked first and looked at afterwards, so that an attachment which is just being added is seen; see keep().
    rows = yield Lookup(schema.media_content, ("hash",), ("hash",), [(digest,) for digest in set(hashes)], lock=True)
    content = schema.media_content.c
    used = select(_table.id).where(and_(_table.content_hash == content.hash, _table.deleted_at.is_(None)))
    unused = and_(content.hash.in_([row[0] for row in rows]), ~used.exists())
    yield Execute(delete(schema.media_content).where(unused))
