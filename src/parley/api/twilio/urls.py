"""Which URLs Twilio takes for callbacks and media."""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

_MOST: Final = 4000
_FORBIDDEN = re.compile(r"[\s\x00-\x1f\x7f\"<>\\]")


@lru_cache(maxsize=1024)
def is_web_url(url: str) -> bool:
    """Whether a URL is http or https with a host, of at most 4000 characters and without spaces."""
    if len(url) > _MOST or _FORBIDDEN.search(url):
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # a bracketed host or a port that is none
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0


@lru_cache(maxsize=1024)
def is_callback_url(url: str) -> bool:
    """Whether a URL may be called back: a web URL whose host has no underscore (error 21609)."""
    return is_web_url(url) and "_" not in (urlsplit(url).hostname or "")
