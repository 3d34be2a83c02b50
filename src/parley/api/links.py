"""Follow short links: GET /{code} leads whoever has a message to where its link leads.

It asks for no credentials, because phones have none: the code is the right to follow the link, and nobody can guess
one. It leads nowhere but to URLs that accounts have sent or configured.
"""

import re
import string
from typing import Final
from urllib.parse import quote, urlsplit

import structlog
from starlette.types import Scope, Send
from yarl import URL

from parley.api.http.endpoint import Reply, respond
from parley.core.limits import Busy, Limits
from parley.core.links import ShortLinks
from parley.model.link import CODE_LENGTH
from parley.store import StoreUnavailable

log = structlog.get_logger(__name__)

_HOST: Final = re.compile(r"(https?://(?:[^/?#]*@)?)([^/?#:@\[\]]+)", re.IGNORECASE)
_CODE: Final = re.compile(rf"/([0-9A-Za-z]{{{CODE_LENGTH}}})", re.ASCII)
_PLAIN: Final = b"text/plain; charset=utf-8"
_FRESH: Final = (b"cache-control", b"no-store")
_NOWHERE: Final = Reply(404, b"This link has expired, or never was.\n", _PLAIN, (_FRESH,))
_BUSY: Final = Reply(503, b"Please try again shortly.\n", _PLAIN, (_FRESH, (b"retry-after", b"1")))


class Follow:
    """Answers what no operation is served at. `public_url` is where the server itself is reached."""

    def __init__(self, links: ShortLinks, limits: Limits, public_url: str) -> None:
        self._links = links
        self._limits = limits
        self._own_host = (urlsplit(public_url).hostname or "").lower()

    async def __call__(self, scope: Scope, send: Send) -> bool:
        """Answer a request for a short link, or for anything else at a domain of short links; False when it is none."""
        if scope["method"] not in ("GET", "HEAD"):
            return False
        code = _CODE.fullmatch(scope["path"])
        host = _host(scope)
        if code is None and host == self._own_host:
            return False
        try:
            self._limits.arrive(is_write=False)
        except Busy:
            await respond(send, _BUSY)
            return True
        try:
            url = None
            if code is not None:
                # HEAD is asked by what shows a preview, before anybody has followed the link.
                is_click = scope["method"] == "GET"
                url = await self._links.follow(code[1], _header(scope, b"user-agent"), is_click=is_click)
            url = url or await self._links.fallback(host)
        except StoreUnavailable as error:
            log.warning("a link cannot be looked up", error=str(error))
            await respond(send, _BUSY)
            return True
        finally:
            self._limits.leave(is_write=False)
        if url is None and code is None:
            return False
        await respond(send, _NOWHERE if url is None else _leading_to(url))
        return True


def _leading_to(url: str) -> Reply:
    # As browsers spell it: the host as the name service knows it, and all else in the octets of UTF-8.
    located = _HOST.sub(lambda match: match[1] + _ascii(match[2]), url, count=1)
    location = quote(located, safe=string.punctuation).encode()
    return Reply(302, b"", _PLAIN, ((b"location", location), _FRESH))


def _ascii(host: str) -> str:
    """A host's name without letters of other scripts; as it is where it is no name."""
    if host.isascii():
        return host
    try:
        return URL.build(scheme="http", host=host).raw_host or host
    except ValueError:
        return host


def _host(scope: Scope) -> str:
    try:
        return (urlsplit(f"//{_header(scope, b'host')}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _header(scope: Scope, name: bytes) -> str:
    value: bytes = next((value for key, value in scope["headers"] if key == name), b"")
    return value.decode("latin-1")
