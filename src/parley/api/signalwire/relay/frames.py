"""The frames of Relay: JSON-RPC 2.0 objects, one to a text message."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

UNAUTHORIZED: Final = -32002
"""The code by which clients know that their credentials are wrong (realtime-api 4.x)."""
INVALID_REQUEST: Final = -32600
UNKNOWN_METHOD: Final = -32601
INVALID_PARAMS: Final = -32602
UNAVAILABLE: Final = -32603

_MAX_ID: Final = 255
"""Characters of a request's id: each answer repeats it, to whoever asks."""

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


class Unreadable(Exception):
    """Not a frame."""


class BadParams(Exception):
    """A request whose params cannot be taken, and why. `id` is its own."""

    def __init__(self, id: str | int | None, reason: str) -> None:
        super().__init__(reason)
        self.id = id


class RpcError(Exception):
    """A request that is answered by an error. `code` is JSON-RPC's, or SignalWire's own."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Frame(msgspec.Struct, frozen=True):
    """One frame of a client: a request when it has a method, an answer otherwise."""

    id: str | int | None
    method: str | None
    params: Mapping[str, Any]


def read(text: str) -> Frame:
    """Read a frame. Raises Unreadable, and BadParams for a request."""
    try:
        given = _decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Unreadable from error
    id_, method, params = given.get("id"), given.get("method"), given.get("params", {})
    if not isinstance(id_, str | int | None) or not isinstance(method, str | None):
        raise Unreadable
    if isinstance(id_, str) and len(id_) > _MAX_ID:
        raise Unreadable
    if not isinstance(params, dict):
        raise BadParams(id_, "params is an object") if method is not None else Unreadable
    # Not every record takes a NUL, and a context is asked for again and again. JSON spells it in this one way.
    if method is not None and "\\u0000" in text.replace("\\\\", ""):
        raise BadParams(id_, "params holds a NUL, which no text may")
    return Frame(id_, method, params)


def request(id_: str, method: str, params: Mapping[str, Any]) -> str:
    """A request of ours."""
    return _encode({"jsonrpc": "2.0", "id": id_, "method": method, "params": params}).decode()


def result(id_: str | int | None, value: Mapping[str, Any]) -> str:
    """The answer to a request."""
    return _encode({"jsonrpc": "2.0", "id": id_, "result": value}).decode()


def failure(id_: str | int | None, code: int, message: str) -> str:
    """The answer to a request that went wrong."""
    return _encode({"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": message}}).decode()


def names(params: Mapping[str, Any], key: str, most: int) -> list[str]:
    """A list of contexts. Raises RpcError."""
    given = params.get(key) or []
    if not isinstance(given, list) or not all(isinstance(name, str) and 0 < len(name) <= 255 for name in given):
        raise RpcError(INVALID_PARAMS, f"{key} must be a list of names of 1 to 255 characters")
    if len(given) > most:
        raise RpcError(INVALID_PARAMS, f"{key} has at most {most} names")
    return given
