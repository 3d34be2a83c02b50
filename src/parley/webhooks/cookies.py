"""The cookies that an app sets in its answers to one conversation, for as much of RFC 6265 as a conversation needs."""

import re
from collections.abc import Mapping, Sequence
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import Final

from parley.webhooks.http_date import instant

MOST: Final = 50
"""Cookies of a conversation. This and the next are what RFC 6265 (6.1) asks of clients at least."""
MAX_OCTETS: Final = 4096
"""Of a cookie's name and value."""

_SECONDS: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)


def after(known: Mapping[str, str], set_cookies: Sequence[str], now: int) -> dict[str, str]:
    """The cookies by name once the Set-Cookie headers of an answer are obeyed. `now` in microseconds.

    One that has expired is forgotten, which is how an app takes it back. When others expire is not kept: they go with
    the conversation. Domain, path and security are passed over: the conversation has one app.
    """
    found = dict(known)
    for header in set_cookies:
        try:
            jar = SimpleCookie(header)
        except CookieError:
            continue
        for name, each in jar.items():
            found.pop(name, None)
            # What a quoted value may escape, such as a NUL, is never sent back, and not every record takes it.
            is_sound = each.value.isascii() and each.value.isprintable() and len(name) + len(each.value) <= MAX_OCTETS
            if is_sound and not _is_over(each, now):
                found[name] = each.value
    return dict(list(found.items())[-MOST:])


def _is_over(cookie: Morsel[str], now: int) -> bool:
    if _SECONDS.fullmatch(cookie["max-age"]):  # it has precedence
        return int(cookie["max-age"]) <= 0
    ends = instant(cookie["expires"]) if cookie["expires"] else None
    return ends is not None and ends <= now
