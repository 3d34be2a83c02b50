"""A web server for an app's webhooks, which takes only what the official validator finds signed.

A handler is a function: it gets the parameters of a request (`From`, `Body`, ... and those of the URL's query) and
returns what to answer, usually a MessagingResponse.
"""

import os
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator

Handler = Callable[[dict[str, str]], Any]


def server(handlers: Mapping[str, Handler], port: int = 5005) -> ThreadingHTTPServer:
    """Return a server of handlers by path. PUBLIC_URL is its origin as Twilio knows it, where a tunnel leads to it."""
    validator = RequestValidator(os.environ["TWILIO_AUTH_TOKEN"])

    class App(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer one webhook."""
            form = dict(parse_qsl(self.body(), keep_blank_values=True))
            path, _, query = self.path.partition("?")
            origin = os.environ.get("PUBLIC_URL", f"http://{self.headers['Host']}")
            if not validator.validate(origin + self.path, form, self.headers.get("X-Twilio-Signature", "")):
                self.send_error(403, "Not signed with our auth token")
            elif path not in handlers:
                self.send_error(404)
            else:
                self.answer(str(handlers[path]({**dict(parse_qsl(query)), **form})))

        def body(self) -> str:
            return self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()

        def answer(self, document: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/xml")
            self.end_headers()
            self.wfile.write(document.encode())

        def log_message(self, *_: object) -> None:
            """Keep quiet: addresses and texts are nobody's business."""

    return ThreadingHTTPServer(("127.0.0.1", port), App)


def serve(handlers: Mapping[str, Handler], port: int = 5005) -> None:
    """Serve until interrupted."""
    print(f"Webhooks are taken at {', '.join(f'http://127.0.0.1:{port}{path}' for path in handlers)}")
    server(handlers, port).serve_forever()
