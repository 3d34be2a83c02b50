"""An app on the other end of webhooks: records each request as bytes, and answers as it is told."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

_PATIENCE_S = 30


class Received(msgspec.Struct, frozen=True):
    """One request as it came."""

    method: str
    url: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def path(self) -> str:
        """Its path, without the query."""
        return urlsplit(self.url).path

    @property
    def form(self) -> dict[str, str]:
        """Its form's parameters (the query's, for a GET)."""
        text = self.body.decode() if self.body else urlsplit(self.url).query
        return dict(parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text)))

    @property
    def json(self) -> Any:
        """Its JSON."""
        return msgspec.json.decode(self.body)


class Reply(msgspec.Struct, frozen=True):
    """What to answer."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


Answer = Callable[[Received], Reply | None]
"""What to answer to a request; None: break off without a word."""


class Receiver:
    """A web server whose requests a test waits for."""

    def __init__(self, port: int = 0) -> None:
        self.requests: list[Received] = []
        self.answer: Answer = lambda _: Reply()
        self._arrived = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                received = Received(
                    self.command,
                    receiver.url + self.path,
                    {name.lower(): value for name, value in self.headers.items()},
                    self.rfile.read(length),
                )
                reply = receiver.answer(received)
                with receiver._arrived:
                    receiver.requests.append(received)
                    receiver._arrived.notify_all()
                if reply is None:
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                for name, value in reply.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(reply.body)

            do_GET = do_POST = do_HEAD = do_PUT = serve  # noqa: N815 - the names that http.server calls

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in http.server
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def start(self) -> "Receiver":
        """Begin to answer."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()

    def wait(self, wanted: Callable[[Received], bool] = lambda _: True, count: int = 1) -> list[Received]:
        """Return the requests so far that are wanted, once there are `count` of them."""
        with self._arrived:
            found = self._arrived.wait_for(lambda: len(self._of(wanted)) >= count, _PATIENCE_S)
            got = self._of(wanted)
        assert found, f"{len(got)} of {count} requests came; all: {[r.url for r in self.requests]}"
        return got

    def _of(self, wanted: Callable[[Received], bool]) -> list[Received]:
        return [request for request in self.requests if wanted(request)]


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """A receiver for the time of a with block, on a port that is free unless one is given."""
    receiver = Receiver(port).start()
    try:
        yield receiver
    finally:
        receiver.stop()
