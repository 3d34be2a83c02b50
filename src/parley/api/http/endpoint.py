"""Serve one operation over ASGI: authenticate, read, call the handler, and answer in the dialect's shape.

A plain ASGI callable, because this is every request's path: a framework's request and response objects cost more than
all that Parley does to accept a message.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any, Final

import msgspec
import structlog
from starlette.types import Receive, Scope, Send

from parley.api.http.credentials import Credentials
from parley.api.http.decode import Form, json_object, pairs
from parley.api.http.fault import Fault
from parley.api.http.patience import Patience
from parley.core.limits import Busy, Limits, Standing, Stopping
from parley.core.refusal import Refused
from parley.model.account import Account
from parley.store import StoreUnavailable

log = structlog.get_logger(__name__)

MAX_BODY: Final = 1024 * 1024
"""Octets of a request body (phones send media inside JSON to the simulator, which has its own bound)."""

PATIENCE_S: Final = 10.0
"""A request whose work takes longer is answered 503: what became of it is not known, and a key makes a retry safe."""

_encode: Final = msgspec.json.Encoder().encode
_FORM: Final = b"application/x-www-form-urlencoded"
_JSON: Final = b"application/json"
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_DELETE: Final = "DELETE"


class Reply(msgspec.Struct, frozen=True):
    """An answer. `body` is sent as it is; `headers` are added to content-type and content-length.

    With `rest`, the body goes on with what that gives, which nobody has counted. When that fails the answer breaks
    off, and the client can tell.
    """

    status: int
    body: bytes = b""
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    rest: AsyncIterator[bytes] | None = None


def json_reply(status: int, value: object, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Reply:
    """An answer of JSON."""
    return Reply(status, _encode(value), headers=headers)


NO_CONTENT: Final = Reply(204)


class Call:
    """One request, authenticated and read. `base_url` is the origin and prefix under which it came."""

    __slots__ = ("account", "body", "headers", "path", "query", "scope")

    def __init__(self, scope: Scope, headers: Mapping[bytes, bytes], account: Account, body: bytes) -> None:
        self.scope = scope
        self.headers = headers
        self.account = account
        self.body = body
        self.path: Mapping[str, str] = scope.get("path_params", {})
        self.query: bytes = scope["query_string"]

    @property
    def base_url(self) -> str:
        """Origin and prefix of the request, for absolute URLs in its answer."""
        host = self.headers.get(b"host", b"127.0.0.1").decode("latin-1")
        return f"{self.scope['scheme']}://{host}{self.scope.get('parley.prefix', '')}"

    def header(self, name: bytes) -> str | None:
        """A header's value by its lower-case name."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def arguments(self) -> Form:
        """The query's parameters."""
        return Form(pairs(self.query))

    def form(self) -> Form:
        """The body's parameters and the query's. Raises Fault when the body is not a form."""
        if not self.body:
            return self.arguments()
        kind = self.headers.get(b"content-type", _FORM).partition(b";")[0].strip().lower()
        if kind != _FORM:
            raise Fault("unsupported_content_type", "The body must be application/x-www-form-urlencoded")
        return Form(pairs(self.body) + pairs(self.query) if self.query else pairs(self.body))

    def json(self) -> dict[str, Any]:
        """The body's JSON object. Raises Fault when it is none."""
        kind = self.headers.get(b"content-type", _JSON).partition(b";")[0].strip().lower()
        if kind != _JSON and not kind.endswith(b"+json"):
            raise Fault("unsupported_content_type", "The body must be application/json")
        return json_object(self.body)


Handler = Callable[[Call], Coroutine[Any, Any, Reply]]
Explain = Callable[[Fault | Refused, Scope], Reply]
"""Says in a dialect's shape why a request was refused."""


class Endpoint:
    """One operation of a dialect as an ASGI application. `patience_s` bounds its work, None for one that may wait."""

    def __init__(
        self,
        handler: Handler,
        credentials: Credentials,
        explain: Explain,
        max_body: int = MAX_BODY,
        patience_s: float | None = PATIENCE_S,
    ) -> None:
        self._handler = handler
        self._credentials = credentials
        self._limits = credentials.limits
        self._explain = explain
        self._max_body = max_body
        self.patience_s = patience_s
        self._patience = Patience()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Whatever happens, the client gets an answer in the dialect's shape."""
        is_write = scope["method"] not in READS
        try:
            self._limits.arrive(is_write=is_write)
        except Busy as busy:
            await respond(send, _refused(busy, self._explain, scope))
            return
        try:
            reply = await self._reply(scope, receive, is_write=is_write)
        except _Disconnected:
            return
        finally:
            self._limits.leave(is_write=is_write)
        await respond(send, reply)

    async def _reply(self, scope: Scope, receive: Receive, *, is_write: bool) -> Reply:
        standing: Standing | None = None
        account: Account | None = None
        try:
            headers: dict[bytes, bytes] = dict(scope["headers"])
            known = self._credentials.known(headers)
            if known is None:
                async with asyncio.timeout(PATIENCE_S):
                    known = await self._credentials.account(headers)
            standing = self._limits.enter(known.id, is_write=is_write and scope["method"] != _DELETE)
            account = known
            if is_write:
                self._credentials.check_writes(known)
            body = await _read(headers, receive, self._max_body)
            call = Call(scope, headers, account, body)
            if self.patience_s is None:
                reply = await self._handler(call)
            else:
                reply = await self._patience.within(self.patience_s, self._handler(call))
        except Busy as busy:
            return _refused(busy, self._explain, scope)
        except _Disconnected:
            raise
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - it logs what it does not know
            reply = _failed(error, self._explain, scope, scope["path"])
        finally:
            if account is not None:
                self._limits.depart(account.id)
        return reply if standing is None else _with(reply, _told(standing))


class OpenEndpoint:
    """One operation that asks for no credentials as an ASGI application: the `{token}` of its path, which its handler
    is given, is the right to it. So the log tells `path` alone.
    """

    def __init__(
        self, handler: Callable[[str], Coroutine[Any, Any, Reply]], limits: Limits, explain: Explain, path: str
    ) -> None:
        self._handler = handler
        self._limits = limits
        self._explain = explain
        self._path = path
        self._patience = Patience()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, which reads. Whatever happens, the client gets an answer in the dialect's shape."""
        try:
            self._limits.arrive(is_write=False)
        except Busy as busy:
            await respond(send, _refused(busy, self._explain, scope))
            return
        try:
            reply = await self._patience.within(PATIENCE_S, self._handler(scope["path_params"]["token"]))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - it logs what it does not know
            reply = _failed(error, self._explain, scope, self._path)
        finally:
            self._limits.leave(is_write=False)
        await respond(send, reply)


class _Disconnected(Exception):
    pass


def _refused(busy: Busy, explain: Explain, scope: Scope) -> Reply:
    reply = _retry_later(explain(Fault("too_many_requests", busy.reason), scope), busy.retry_after_s)
    return reply if busy.standing is None else _with(reply, _told(busy.standing))


def _failed(error: BaseException, explain: Explain, scope: Scope, path: str) -> Reply:
    """Say why there is no other answer; what is not the client's doing is logged, under `path`."""
    match error:
        case Fault() | Refused():
            return explain(error, scope)
        case Stopping() | asyncio.CancelledError():  # the latter once this one has had as long as it may
            detail = "The server is stopping; try again shortly"
        case TimeoutError():
            log.warning("the database does not answer", path=path)
            detail = "The message store did not answer in time; what became of this is not known"
        case StoreUnavailable():
            # The store and the loops say that it is away; a line a request would fill a disk that is full already.
            log.debug("the database is away", path=path, error=str(error))
            detail = "The message store is not available; try again shortly"
        case _:
            log.error("request failed", path=path, exc_info=error)
            return explain(Fault("internal"), scope)
    return _retry_later(explain(Fault("unavailable", detail), scope))


def _with(reply: Reply, headers: tuple[tuple[bytes, bytes], ...]) -> Reply:
    return msgspec.structs.replace(reply, headers=(*reply.headers, *headers))


def _retry_later(reply: Reply, after_s: int = 1) -> Reply:
    return _with(reply, ((b"retry-after", b"%d" % after_s),))


def _told(standing: Standing) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"x-rate-limit-limit", b"%d" % standing.limit),
        (b"x-rate-limit-remaining", b"%d" % standing.remaining),
        (b"x-rate-limit-reset", b"%d" % standing.reset_s),
    )


async def _read(headers: Mapping[bytes, bytes], receive: Receive, most: int) -> bytes:
    length = headers.get(b"content-length")
    if length is not None and length.isdigit() and int(length) > most:
        raise Fault("too_large", f"The body exceeds {most} octets")
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.disconnect":
        raise _Disconnected
    if message.get("more_body"):
        chunks = [body]
        size = len(body)
        while message.get("more_body"):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Disconnected
            size += len(message.get("body", b""))
            if size > most:
                raise Fault("too_large", f"The body exceeds {most} octets")
            chunks.append(message.get("body", b""))
        body = b"".join(chunks)
    if len(body) > most:
        raise Fault("too_large", f"The body exceeds {most} octets")
    return body


async def respond(send: Send, reply: Reply) -> None:
    """Send a reply. A client that is gone needs none."""
    headers = [*reply.headers] if reply.rest else [(b"content-length", b"%d" % len(reply.body)), *reply.headers]
    if reply.body or reply.status not in (204, 304):
        headers.insert(0, (b"content-type", reply.content_type))
    with contextlib.suppress(OSError):
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        if reply.rest is None:
            await send({"type": "http.response.body", "body": reply.body})
            return
        await send({"type": "http.response.body", "body": reply.body, "more_body": True})
        async for chunk in reply.rest:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})
