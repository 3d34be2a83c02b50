"""The one outgoing HTTP client: a request in, an answer or a coded failure out. Guarded on every hop, bounded in time,
size and concurrency, with keep-alive.
"""

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple
from urllib.parse import urljoin, urlsplit

import aiohttp
import msgspec
import structlog
from yarl import URL

from parley.webhooks.guard import Guard, GuardedResolver, RefusedUrl
from parley.webhooks.lanes import Lanes
from parley.webhooks.lookups import Lookups

log = structlog.get_logger(__name__)

MAX_BODY: Final = 64 * 1024
"""Largest answer read of a webhook, in bytes (error 11750 beyond it)."""

Phase = Literal["refused", "connect", "read", "redirect"]

_KEEP_ALIVE_S: Final = (
    4.0  # below the 5 s after which uvicorn and Node close an idle connection, so that we close first
)
_COOKIE = re.compile(r"[!#-+\--:<-\[\]-~]*")  # RFC 6265 cookie-octet, which also covers what a name may be
_CERTIFICATE_CODES: Final = {10: 11236, 62: 11235, 64: 11235}  # OpenSSL: expired, host mismatch, IP address mismatch
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_EMPTY: Final[Mapping[str, str]] = {}
_UNWANTED: Final = 0
_NO_ANSWER: Final = "no whole answer in time"
_NO_CONNECTION: Final = "no connection in time"
_CROWDED_OUT: Final = "too many other host names resolve slowly"


def _always() -> bool:
    return True


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request to make. `total_s` bounds all hops together; `cookies` go to the first URL's origin only."""

    method: str
    url: str
    headers: Mapping[str, str] = _EMPTY
    body: bytes | None = None
    cookies: Mapping[str, str] = _EMPTY
    connect_s: float = 5.0
    read_s: float = 15.0
    total_s: float = 15.0
    max_redirects: int = 10
    max_bytes: int = MAX_BODY

    def __repr__(self) -> str:
        """Says only where it goes: headers, body and userinfo carry secrets."""
        return f"Request({self.method} {_without_secrets(self.url)})"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the last hop answered. Header names are lower case, repeated ones joined with a comma, but for Set-Cookie,
    which is in `set_cookies`, one each. `body` is cut at the request's `max_bytes`, and `is_truncated` then.
    """

    status: int
    headers: Mapping[str, str]
    set_cookies: tuple[str, ...]
    body: bytes
    url: str
    is_truncated: bool = False

    @property
    def is_ok(self) -> bool:
        """Whether the status is 2xx. If not, Twilio's code for it is 11217."""
        return 200 <= self.status < 300

    def __repr__(self) -> str:
        """Says how it went; bodies and cookies stay out of logs."""
        return f"Answer({self.status} from {_without_secrets(self.url)}, {len(self.body)} bytes)"


class FetchFailed(Exception):
    """No answer. `code` is Twilio's; `phase` says how far it got:

    refused   the URL was never requested: malformed, or the guard forbids it (11321); or not wanted any more (0)
    connect   no connection, so surely never reached: 11205; 11210 no such name; 11220, 11235-11237 TLS
    read      possibly received, but no whole answer came in time (11200) or it wasn't HTTP (11206)
    redirect  the first server did answer, a later hop failed; `code` as above, 11215 when there were too many hops

    `reason` is for people and carries neither URL nor credentials.
    """

    def __init__(self, code: int, reason: str, phase: Phase) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.phase = phase

    @property
    def is_late(self) -> bool:
        """Whether time ran out."""
        return self.reason in (_NO_ANSWER, _NO_CONNECTION)

    @property
    def is_ours(self) -> bool:
        """Whether nobody was asked for want of room here, and the host is not to be blamed."""
        return self.reason == _CROWDED_OUT


class Client:
    """Outgoing HTTP for the whole process. Construct it inside the running event loop; `aclose` it at the end."""

    def __init__(
        self,
        guard: Guard,
        *,
        user_agent: str,
        per_host: int = 32,
        overall: int = 2048,
        lookups: Lookups | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`per_host` and `overall` bound the fetches under way; more wait their turn, outside their own timeouts."""
        self._guard = guard
        self._lanes = Lanes(per_host, overall)
        self._lookups = lookups or Lookups()
        self._resolver = GuardedResolver(guard, self._lookups)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,  # the lanes bound it; a wait inside the connector would count as the host's slowness
                resolver=self._resolver,
                ssl=tls or True,
                keepalive_timeout=_KEEP_ALIVE_S,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": user_agent, "Accept": "*/*"},
            skip_auto_headers=("Accept-Encoding",),
            trust_env=False,
        )

    async def fetch(self, request: Request, is_wanted: Callable[[], bool] = _always) -> Answer:
        """The last hop's answer, whatever its status; FetchFailed and nothing else when there's none.

        `is_wanted` is asked when the request's turn has come; if it is not, the failure is `refused` with code 0.
        """
        try:
            url = self._guard.check_url(request.url)
            host = f"{url.raw_host}:{url.port}"
            place = await self._lanes.enter(host)
            try:
                if not is_wanted():
                    raise FetchFailed(_UNWANTED, "not wanted any more", "refused")
                try:
                    async with asyncio.timeout(request.total_s):
                        return await self._follow(request, url)
                except TimeoutError:
                    self._check_lookup(url)
                    raise
            finally:
                self._lanes.leave(host, place)
        except FetchFailed:
            raise
        except Exception as error:  # noqa: BLE001 - callers rely on one kind of failure, whatever a peer provokes
            raise _failure(error) from None

    async def aclose(self) -> None:
        """Close every connection."""
        await self._session.close()
        await self._resolver.close()

    def _check_lookup(self, url: URL) -> None:
        """Raise FetchFailed where time ran out before anybody was asked for the host's address."""
        if self._lookups.is_crowded_out(url.raw_host or ""):
            raise FetchFailed(11205, _CROWDED_OUT, "connect")

    async def _follow(self, request: Request, url: URL) -> Answer:
        hop = _first_hop(request, url)
        # aiohttp's own `total` stays off: one deadline spans all hops, and it is fetch's.
        timeout = aiohttp.ClientTimeout(total=None, connect=request.connect_s, sock_read=request.read_s)
        for count in range(request.max_redirects + 1):
            is_redirected = count > 0
            try:
                async with self._session.request(
                    hop.method, hop.url, data=hop.body, headers=hop.headers, timeout=timeout, allow_redirects=False
                ) as response:
                    location = response.headers.get("Location") if response.status in _REDIRECTS else None
                    if location is None:
                        return await _answer(response, request.max_bytes)
                is_redirected = True
                # aiohttp asks no resolver about literal addresses, so each hop is checked here as well.
                target = self._guard.check_url(urljoin(str(hop.url), location.strip()))
            except TimeoutError as error:
                if not is_redirected:
                    self._check_lookup(url)
                raise _failure(error, is_redirected=is_redirected) from None
            except Exception as error:  # noqa: BLE001 - as in fetch
                raise _failure(error, is_redirected=is_redirected) from None
            hop = _next_hop(hop, target, response.status)
        raise FetchFailed(11215, f"more than {request.max_redirects} redirects", "redirect")


class _Hop(NamedTuple):
    method: str
    url: URL
    body: bytes | None
    headers: dict[str, str]


def _first_hop(request: Request, url: URL) -> _Hop:
    headers = dict(request.headers)
    cookies = "; ".join([f"{k}={v}" for k, v in request.cookies.items() if k and _COOKIE.fullmatch(f"{k}{v}")])
    if cookies:
        headers["Cookie"] = cookies
    return _Hop(request.method, url, request.body, headers)


def _next_hop(hop: _Hop, target: URL, status: int) -> _Hop:
    """What to request after a redirect (RFC 9110, 15.4): 307 and 308 repeat the request, the others turn it into a GET,
    as browsers do. Credentials and cookies don't follow to another origin.
    """
    method, body, headers = hop.method, hop.body, hop.headers
    if status not in {307, 308} and method not in {"GET", "HEAD"}:
        method, body = "GET", None
        headers = {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
    if (target.scheme, target.raw_host, target.port) != (hop.url.scheme, hop.url.raw_host, hop.url.port):
        headers = {name: value for name, value in headers.items() if name.lower() not in {"authorization", "cookie"}}
    return _Hop(method, target, body, headers)


async def _answer(response: aiohttp.ClientResponse, max_bytes: int) -> Answer:
    chunks: list[bytes] = []
    room = max_bytes + 1
    while room and (chunk := await response.content.read(room)):
        chunks.append(chunk)
        room -= len(chunk)
    headers: dict[str, str] = {}
    set_cookies: list[str] = []
    for name, value in response.headers.items():
        key = name.lower()
        if key == "set-cookie":
            set_cookies.append(value)
        else:
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
    if not room:
        response.close()  # what wasn't read would be taken for the next answer's beginning
    return Answer(
        status=response.status,
        headers=headers,
        set_cookies=tuple(set_cookies),
        body=b"".join(chunks)[:max_bytes],
        url=str(response.url),
        is_truncated=not room,
    )


def _failure(error: Exception, *, is_redirected: bool = False) -> FetchFailed:
    code, reason, phase = _diagnosis(error)
    return FetchFailed(code, reason, "redirect" if is_redirected else phase)


def _diagnosis(error: Exception) -> tuple[int, str, Phase]:
    """Twilio's code, words and phase of whatever came up. The order matters: aiohttp's classes overlap."""
    match error:
        case RefusedUrl():
            return 11321, error.reason, "refused"
        case aiohttp.ClientConnectorCertificateError():
            number = getattr(error.certificate_error, "verify_code", 0)
            return _CERTIFICATE_CODES.get(number, 11237), "the server's TLS certificate is not valid", "connect"
        case aiohttp.ClientSSLError():
            return 11220, "the TLS handshake failed", "connect"
        case aiohttp.ClientConnectorDNSError():
            return 11210, "the host name does not resolve", "connect"
        case aiohttp.ClientConnectorError():
            return 11205, f"could not connect: {error.strerror or error.os_error}", "connect"
        case aiohttp.ConnectionTimeoutError():
            return 11205, _NO_CONNECTION, "connect"
        case TimeoutError():
            return 11200, _NO_ANSWER, "read"
        case ValueError():
            return 11321, "the URL or a header is malformed", "refused"
        case aiohttp.ClientResponseError():
            return 11206, "the answer is not valid HTTP", "read"
        case _:
            if not isinstance(error, aiohttp.ClientError | OSError):  # no peer's doing: a fault of ours
                log.warning("an exchange failed as none should", exc_info=error)
            return 11200, f"the exchange broke off ({type(error).__name__})", "read"


def _without_secrets(url: str) -> str:
    """A URL for logs: userinfo and query may carry secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a malformed URL"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
