"""Encode a form, cheaply for what forms mostly hold: SIDs, words, numbers and phone numbers."""

import re
from collections.abc import Mapping
from urllib.parse import quote_plus

_is_plain = re.compile(r"[A-Za-z0-9_.~-]*", re.ASCII).fullmatch


def encode(params: Mapping[str, str]) -> str:
    """`application/x-www-form-urlencoded` text of parameters, in their order. Names must need no escapes."""
    return "&".join([f"{name}={_value(value)}" for name, value in params.items()])


def _value(value: str) -> str:
    if _is_plain(value):
        return value
    if value[0] == "+" and _is_plain(value, 1):
        return f"%2B{value[1:]}"
    return quote_plus(value)
