"""Serve one operation over ASGI: authenticate, read, call the handler, and answer in the dialect's shape.

A plain ASGI callable, because this is every request's path: a framework's request and response objects cost more than
all that Parley does to accept a message.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
import structlog
from starlette.types import Receive, Scope, Send

from parley.api.http.credentials import Credentials
from parley.api.http.decode import Form, json_object, pairs
from parley.api.http.fault import Fault
from parley.core.refusal import Refused
from parley.model.account import Account
from parley.store import StoreUnavailable

log = structlog.get_logger(__name__)

MAX_BODY: Final = 1024 * 1024
"""Octets of a request body (phones send media inside JSON to the simulator, which has its own bound)."""

_encode: Final = msgspec.json.Encoder().encode
_FORM: Final = b"application/x-www-form-urlencoded"
_JSON: Final = b"application/json"


class Reply(msgspec.Struct, frozen=True):
    """An answer. `body` is sent as it is; `headers` are added to content-type and content-length."""

    status: int
    body: bytes = b""
    content_type: bytes = b"application/json"
    headers: tuple[tuple[bytes, bytes], ...] = ()


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


Handler = Callable[[Call], Awaitable[Reply]]
Explain = Callable[[Fault | Refused, Scope], Reply]
"""Says in a dialect's shape why a request was refused."""


class Endpoint:
    """One operation of a dialect as an ASGI application."""

    def __init__(self, handler: Handler, credentials: Credentials, explain: Explain, max_body: int = MAX_BODY) -> None:
        self._handler = handler
        self._credentials = credentials
        self._explain = explain
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Whatever happens, the client gets an answer in the dialect's shape."""
        try:
            headers: dict[bytes, bytes] = dict(scope["headers"])
            account = await self._credentials.account(headers)
            body = await _read(headers, receive, self._max_body)
            reply = await self._handler(Call(scope, headers, account, body))
        except (Fault, Refused) as error:
            reply = self._explain(error, scope)
        except _Disconnected:
            return
        except asyncio.CancelledError:  # the server stops, and has waited for this one as long as it may
            fault = Fault("unavailable", "The server is stopping; try again shortly")
            reply = _retry_later(self._explain(fault, scope))
        except StoreUnavailable as error:
            log.warning("the database is away", path=scope["path"], error=str(error))
            fault = Fault("unavailable", "The message store is not available; try again shortly")
            reply = _retry_later(self._explain(fault, scope))
        except Exception:
            log.exception("request failed", path=scope["path"])
            reply = self._explain(Fault("internal"), scope)
        await respond(send, reply)


class _Disconnected(Exception):
    pass


def _retry_later(reply: Reply) -> Reply:
    return msgspec.structs.replace(reply, headers=(*reply.headers, (b"retry-after", b"1")))


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
    headers = [(b"content-length", b"%d" % len(reply.body)), *reply.headers]
    if reply.body or reply.status not in (204, 304):
        headers.insert(0, (b"content-type", reply.content_type))
    with contextlib.suppress(OSError):
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})
