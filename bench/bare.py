"""The yardstick: the least that an ASGI application can do for the same request, under the same uvicorn settings.

It reads the body and answers 201 with JSON of the size of a message. Nothing is parsed, checked or kept.
"""

import sys
from typing import Any

import uvicorn

ANSWER = b'{"sid":"SM' + b"0" * 32 + b'","body":"' + b"x" * 440 + b'"}'
_START = {
    "type": "http.response.start",
    "status": 201,
    "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))],
}
_BODY = {"type": "http.response.body", "body": ANSWER}


async def bare(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer any request."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    await send(_START)
    await send(_BODY)


if __name__ == "__main__":
    uvicorn.run(
        bare,
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=2048,
        timeout_keep_alive=75,
        log_level="warning",
    )
