"""Decode what a request carries: query and form pairs, or a JSON object. Bad octets are refused, never repaired."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec

from parley.api.http.fault import Fault

MAX_PAIRS = 1000
_json = msgspec.json.Decoder()
_KEY_END = re.compile(rb'"[ \t\r\n]*:')
_SURROGATE = re.compile("[\ud800-\udfff]")


def pairs(encoded: bytes) -> list[tuple[str, str]]:
    """Decode `application/x-www-form-urlencoded`. Raises Fault(malformed) on bad UTF-8, NUL or a broken escape."""
    if not encoded:
        return []
    parts = encoded.split(b"&")
    if len(parts) > MAX_PAIRS:
        raise Fault("malformed", "The request has too many parameters")
    decoded = []
    for part in parts:
        if part:
            name, _, value = part.partition(b"=")
            decoded.append((_text(name), _text(value)))
    return decoded


def _text(octets: bytes) -> str:
    if b"+" in octets:
        octets = octets.replace(b"+", b" ")
    if b"%" in octets:
        octets = unquote_to_bytes(octets)
    return text(octets)


def text(octets: bytes) -> str:
    """Octets as text. Raises Fault(malformed) unless they are UTF-8 without NUL."""
    try:
        decoded = octets.decode()
    except UnicodeDecodeError:
        raise Fault("malformed", "The request is not valid UTF-8") from None
    if "\0" in decoded:
        raise Fault("malformed", "The request contains a NUL character")
    return decoded


def json_object(body: bytes) -> dict[str, Any]:
    """Decode a JSON object. Raises Fault(malformed) on anything else, on NUL, lone surrogates and repeated keys."""
    try:
        decoded = _json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Fault("malformed", "The request body is not valid JSON") from None
    if not isinstance(decoded, dict):
        raise Fault("malformed", "The request body must be a JSON object")
    # The decoder keeps the last of repeated keys, and which one another reader would keep nobody knows. A colon after
    # a quote ends a key, or stands in a text after an escaped quote: only more of them than keys need a closer look.
    if len(_KEY_END.findall(body)) != _count_keys(decoded) and _repeats_key(body):
        raise Fault("malformed", "The request body gives a key more than once")
    if b"\\u" in body and any("\0" in text or _SURROGATE.search(text) for text in _texts(decoded)):
        raise Fault("malformed", "The request contains a character that is not allowed")
    return decoded


def _count_keys(decoded: dict[str, Any]) -> int:
    count = len(decoded)
    for value in decoded.values():
        if isinstance(value, dict | list):
            return sum(1 for _ in _texts(decoded, keys_only=True))
    return count


def _texts(decoded: Any, *, keys_only: bool = False) -> Iterator[str]:
    """Every key and (unless `keys_only`) every text, however deep: a stack of our own does not overflow."""
    left = [decoded]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            yield from value
            left += value.values()
        elif isinstance(value, list):
            left += value
        elif isinstance(value, str) and not keys_only:
            yield value


def _repeats_key(body: bytes) -> bool:
    repeated = False

    def note(pairs: list[tuple[str, Any]]) -> None:
        nonlocal repeated
        repeated = repeated or len(pairs) != len({key for key, _ in pairs})

    try:
        json.loads(body, object_pairs_hook=note)
    except RecursionError:
        raise Fault("malformed", "The request body is nested too deeply") from None
    return repeated


class Form:
    """Parameters by name, in the order given. What is known of each is said when it is read."""

    __slots__ = ("_values",)

    def __init__(self, given: Sequence[tuple[str, str]]) -> None:
        values: dict[str, list[str]] = {}
        for name, value in given:
            values.setdefault(name, []).append(value)
        self._values = values

    def one(self, name: str) -> str | None:
        """A parameter that may be given once; None when it is not. Raises Fault(invalid_parameter) when repeated."""
        found = self._values.get(name)
        if found is None:
            return None
        if len(found) > 1:
            raise Fault("invalid_parameter", f"{name} may be given once only", name)
        return found[0]

    def many(self, name: str) -> list[str]:
        """A parameter that may be repeated."""
        return self._values.get(name, [])

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def allow(self, names: "frozenset[str]") -> None:
        """Raise Fault(invalid_parameter) when a name was given that is not among `names`."""
        if not self._values.keys() <= names:
            unknown = next(name for name in self._values if name not in names)
            raise Fault("invalid_parameter", f"{unknown[:100]} is not a parameter of this operation", unknown[:100])
