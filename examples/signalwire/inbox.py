"""A web server for a number's `json_webhook`: a handler gets the event, and returns the text to reply with, or None."""

import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Handler = Callable[[dict[str, Any]], str | None]


def server(handlers: Mapping[str, Handler], port: int = 5006) -> ThreadingHTTPServer:
    """Return a server of handlers by path, on this machine alone: put what checks signatures before it elsewhere."""

    class App(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer one webhook, by a document of SWML."""
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path not in handlers:
                self.send_error(404)
                return
            reply = handlers[self.path](event)
            document = {"status": "ok"} if reply is None else {"reply": reply}
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *_: object) -> None:
            """Keep quiet: addresses and texts are nobody's business."""

    return ThreadingHTTPServer(("127.0.0.1", port), App)
