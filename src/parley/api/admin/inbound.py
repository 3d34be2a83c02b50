"""Read the media that a simulated phone sends: octets in the request itself, or a URL to fetch them from."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from typing import Final

import msgspec

from parley.api.http.fault import Fault
from parley.core.media import MAX_OCTETS, TYPES, Fetch, MediaUnavailable

MOST_MEDIA: Final = 10
MAX_BODY: Final = MAX_OCTETS * 4 // 3 + 64 * 1024
"""Octets of a request that carries as much media as a message may, in base64."""


class Enclosed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One attachment inside a request; `data` is base64."""

    content_type: str
    data: str


async def read(given: Sequence[str | Enclosed], fetch: Fetch) -> tuple[tuple[str, bytes], ...]:
    """Content type and octets of each attachment, in order. Raises Fault(invalid_parameter)."""
    if len(given) > MOST_MEDIA:
        raise Fault("invalid_parameter", f"A message has at most {MOST_MEDIA} media", "media")
    total = 0
    found: list[tuple[str, bytes]] = []
    for n, each in enumerate(given):
        where = f"media[{n}]"
        if isinstance(each, str):
            kind, octets = await _fetched(each, where, MAX_OCTETS - total, fetch)
        else:
            kind, octets = each.content_type, _decoded(each.data, where)
        kind = kind.partition(";")[0].strip().lower()
        if not (kind.isascii() and kind.isprintable() and kind.startswith(TYPES)):
            raise Fault("invalid_parameter", f"{where} is of a type that messages cannot carry", "media")
        total += len(octets)
        if total > MAX_OCTETS:
            raise Fault("invalid_parameter", f"The media exceed {MAX_OCTETS} octets", "media")
        found.append((kind, octets))
    return tuple(found)


async def _fetched(url: str, where: str, most: int, fetch: Fetch) -> tuple[str, bytes]:
    try:
        fetched = await fetch(url, most)
    except MediaUnavailable as error:
        raise Fault("invalid_parameter", f"{where} cannot be fetched: {error.reason} ({error.code})", "media") from None
    return fetched.content_type, fetched.octets


def _decoded(data: str, where: str) -> bytes:
    try:
        return b64decode(data, validate=True)
    except (Base64Error, ValueError):
        raise Fault("invalid_parameter", f"{where}.data is not base64", "media") from None
