"""Which URLs of clients are taken: those that the guard lets through, by Twilio's rules for callbacks."""

from functools import lru_cache
from urllib.parse import urlsplit

from parley.webhooks.guard import MAX_URL, Guard, OutOfBounds, RefusedUrl


class Urls:
    """Judges URLs at the door. Clients give the same few again and again, so judgements are remembered. None is good;
    else the words that follow the parameter's name, without the URL, which may carry a password.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._known = lru_cache(maxsize=1024)(self._fault)

    def fault(self, url: str) -> str | None:
        """What keeps a URL from being fetched: not http or https, over 4000 characters, or a host out of bounds."""
        # What is longer is refused, and would take much memory to remember.
        return self._known(url) if len(url) <= MAX_URL else self._fault(url)

    def callback_fault(self, url: str) -> str | None:
        """What keeps a URL from being called back: its fault, or a host with an underscore (error 21609)."""
        if (fault := self.fault(url)) is not None:
            return fault
        if "_" in url and "_" in (urlsplit(url).hostname or ""):
            return "is not a valid http or https URL: its host has an underscore"
        return None

    def _fault(self, url: str) -> str | None:
        try:
            self._guard.check_url(url)
        except OutOfBounds as refused:
            return f"must be at a public address: {refused.reason}"
        except RefusedUrl as refused:
            return f"is not a valid http or https URL: {refused.reason}"
        return None
