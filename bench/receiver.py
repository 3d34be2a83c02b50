"""Where callbacks go: a bare-bones HTTP server that notes, per message, which states it was told of.

A process of its own, so that it neither shares the server's core nor waits for the load. `GET /` answers with what
was counted so far.
"""

import asyncio
import sys
from typing import Final, cast
from urllib.parse import parse_qs

import msgspec
import uvloop

ROUNDTRIP: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
WANTED: Final = {"sent", "delivered"}


class Tally(msgspec.Struct):
    """How many callbacks came, and how many messages were told of as sent, and as delivered, and as both."""

    requests: int = 0
    sent: int = 0
    delivered: int = 0
    complete: int = 0
    repeated: int = 0


class _Receiver(asyncio.Protocol):
    def __init__(self, tally: Tally, told: dict[str, set[str]]) -> None:
        self._tally = tally
        self._told = told
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            head = data[:end].lower()
            at = head.find(b"content-length: ")
            size = int(head[at + 16 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(data) < end + 4 + size:
                break
            body = data[end + 4 : end + 4 + size]
            data = data[end + 4 + size :]
            if head.startswith(b"get "):
                answer = msgspec.json.encode(self._tally)
                self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(answer), answer))
            else:
                self._note(body)
                self._transport.write(ROUNDTRIP)
        self._buffer = data

    def _note(self, body: bytes) -> None:
        if body.startswith(b"{"):
            fields = msgspec.json.decode(body)
            message, status = fields["id"], fields["status"]
        else:
            form = parse_qs(body.decode())
            message, status = form["MessageSid"][0], form["MessageStatus"][0]
        tally = self._tally
        tally.requests += 1
        if status not in WANTED:
            return
        told = self._told.setdefault(message, set())
        if status in told:
            tally.repeated += 1
            return
        told.add(status)
        tally.sent += status == "sent"
        tally.delivered += status == "delivered"
        tally.complete += len(told) == len(WANTED)


async def _serve(port: int) -> None:
    tally, told = Tally(), dict[str, set[str]]()
    server = await asyncio.get_running_loop().create_server(lambda: _Receiver(tally, told), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
