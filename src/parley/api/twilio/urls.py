"""Which URLs of clients are taken: those that the guard lets through, by Twilio's rules for callbacks."""

from functools import lru_cache
from urllib.parse import urlsplit

from parley.webhooks.guard import Guard, RefusedUrl


class Urls:
    """Judges URLs at the door. Clients give the same few again and again, so judgements are remembered."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self.is_fetchable = lru_cache(maxsize=1024)(self._is_fetchable)
        """Whether a URL is http or https, of at most 4000 characters, and its host is not plainly out of bounds."""
        self.is_callback = lru_cache(maxsize=1024)(self._is_callback)
        """Whether a URL may be called back: a fetchable one whose host has no underscore (error 21609)."""

    def _is_fetchable(self, url: str) -> bool:
        try:
            self._guard.check_url(url)
        except RefusedUrl:
            return False
        return True

    def _is_callback(self, url: str) -> bool:
        return self._is_fetchable(url) and "_" not in (urlsplit(url).hostname or "")
