"""A Relay client in a few lines: JSON-RPC frames over a WebSocket, and nothing else."""

import json
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any, Final, Self

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

PATIENCE_S: Final = 20.0
Frame = dict[str, Any]


class RelayClient:
    """One connection. Requests of the server are answered as they are read, unless told otherwise."""

    def __init__(self, base_url: str, path: str = "/", *, compression: str | None = None) -> None:
        url = base_url.replace("http", "ws", 1) + path
        self._open = ExitStack()
        self.socket = self._open.enter_context(
            connect(url, compression=compression, ping_interval=None, open_timeout=PATIENCE_S)
        )
        self.acks = True
        self.answers_pings = True
        self.frames: deque[Frame] = deque()
        """What came and nobody asked for yet, but pings."""
        self.pings = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._open.close()

    def put(self, frame: Frame) -> None:
        self.socket.send(json.dumps({"jsonrpc": "2.0", **frame}))

    def ask(self, method: str, params: Frame | None = None) -> Frame:
        """Make a request, and return the frame that answers it."""
        id_ = str(uuid.uuid4())
        self.put({"id": id_, "method": method, "params": params or {}})
        return self.until(lambda frame: frame.get("id") == id_ and "method" not in frame)

    def result(self, method: str, params: Frame | None = None) -> Frame:
        """Make a request, and return its result."""
        answer = self.ask(method, params)
        assert "result" in answer, answer
        found: Frame = answer["result"]
        return found

    def until(self, wanted: Callable[[Frame], bool]) -> Frame:
        """The first frame of those that came, or come, that is wanted."""
        for frame in self.frames:
            if wanted(frame):
                self.frames.remove(frame)
                return frame
        while True:
            frame = self._next()
            if wanted(frame):
                return frame
            self.frames.append(frame)

    def _next(self) -> Frame:
        frame: Frame = json.loads(self.socket.recv(PATIENCE_S))
        assert frame["jsonrpc"] == "2.0"
        method = frame.get("method")
        if method == "signalwire.ping":
            self.pings += 1
            if not self.answers_pings:
                return frame
            self._answer(frame, {"timestamp": frame["params"]["timestamp"]})
        elif method is not None and self.acks and method != "blade.broadcast":
            self._answer(frame, {})
        return frame

    def _answer(self, frame: Frame, result: Frame) -> None:
        with suppress(ConnectionClosed):  # what came before it was closed is read all the same
            self.put({"id": frame["id"], "result": result})

    def event(self, kind: str, state: str | None = None, body: str | None = None) -> Frame:
        """The next event of a kind, and of a state and a body where they are given: its parameters."""

        def wanted(frame: Frame) -> bool:
            params = frame.get("params", {})
            told = params["params"] if frame.get("method") == "blade.broadcast" else params
            inner = told.get("params", {}) if isinstance(told, dict) else {}
            is_kind = told.get("event_type") == kind if isinstance(told, dict) else False
            is_state = state is None or inner.get("message_state") == state
            return is_kind and is_state and (body is None or inner.get("body") == body)

        params: Frame = self.until(wanted)["params"]
        return params

    def closed(self) -> ConnectionClosed:
        """Wait until the server closes, and return how."""
        try:
            while True:
                self.frames.append(self._next())
        except ConnectionClosed as closed:
            return closed


def signalwire(
    base_url: str, project: str, token: str, *, acks: bool = True, path: str = "/", **more: Any
) -> tuple[RelayClient, Frame]:
    """A client of the newer generation, connected, and what it was welcomed with."""
    client = RelayClient(base_url, path)
    params = {
        "version": {"major": 3, "minor": 0, "revision": 0},
        "agent": "tests/1.0",
        "authentication": {"project": project, "token": token},
        **({"event_acks": True} if acks else {}),
        **more,
    }
    client.acks = acks
    return client, client.result("signalwire.connect", params)
