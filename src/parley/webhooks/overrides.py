"""Twilio's connection overrides: timeouts and retries that a client appends to a callback URL as a fragment
(`#rc=2&rt=3000`). The fragment is for us and never sent.
"""

import re
from contextlib import suppress
from typing import Final
from urllib.parse import unquote

import msgspec
from yarl import URL

_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_POLICIES: Final = frozenset({"ct", "rt", "4xx", "5xx", "all"})
_RANGES: Final = {
    "ct": ("connect_ms", 100, 10_000),
    "rt": ("read_ms", 100, 15_000),
    "tt": ("total_ms", 100, 15_000),
    "rc": ("retries", 0, 5),
}


class Overrides(msgspec.Struct, frozen=True):
    """How to connect to one callback, in milliseconds; the defaults are Twilio's.

    `total_ms` bounds all attempts of one delivery together. `policies` names the failures worth another attempt:
    `ct` no connection, `rt` no answer in time, `4xx`, `5xx` an answer of that class, `all`.
    Source: twilio.com/docs/usage/webhooks/webhooks-connection-overrides.
    """

    connect_ms: int = 5_000
    read_ms: int = 15_000
    total_ms: int = 15_000
    retries: int = 1
    policies: frozenset[str] = frozenset({"ct"})

    def is_retried(self, failure: str) -> bool:
        """Whether a failure (`ct`, `rt`, `4xx` or `5xx`) is worth another attempt, while any are left."""
        return failure in self.policies or "all" in self.policies


DEFAULTS: Final = Overrides()


def split_url(url: str) -> tuple[str, Overrides]:
    """Take a callback URL apart into what is requested, which is also what is signed, and its overrides.

    Non-ASCII in the URL is percent-encoded here, a missing path is `/`, and an empty query none, so that what is signed
    is what the receiver sees.

    A number out of range becomes the nearest allowed one; what is not a number, an unknown policy or an unknown key
    (`e` and `sni` too: there is one edge here, and SNI is always sent) is as if it weren't there. Never fails.
    """
    bare, mark, fragment = url.partition("#")
    if not bare.isascii():
        with suppress(ValueError, IndexError):  # malformed: the guard says so when it is requested
            bare = str(URL(bare))
    bare = _as_requested(bare)
    if not mark:
        return bare, DEFAULTS
    numbers: dict[str, int] = {}
    policies = DEFAULTS.policies
    for pair in fragment.split("&"):
        key, _, value = pair.partition("=")
        if key in _RANGES and _NUMBER.fullmatch(value):
            field, low, high = _RANGES[key]
            numbers[field] = min(max(int(value), low), high)
        elif key == "rp":
            policies = frozenset(unquote(value).lower().split(",")) & _POLICIES or DEFAULTS.policies
    return bare, Overrides(
        connect_ms=numbers.get("connect_ms", DEFAULTS.connect_ms),
        read_ms=numbers.get("read_ms", DEFAULTS.read_ms),
        total_ms=numbers.get("total_ms", DEFAULTS.total_ms),
        retries=numbers.get("retries", DEFAULTS.retries),
        policies=policies,
    )


def _as_requested(url: str) -> str:
    front, mark, query = url.partition("?")
    scheme, is_url, rest = front.partition("://")
    if is_url and "/" not in rest:
        front = f"{scheme}://{rest}/"
    return f"{front}?{query}" if mark and query else front
