"""Say in Parley's own shape why a request was refused: `{"code", "message", "status"}`."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec
from starlette.types import Scope

from parley.api.http.endpoint import Reply, json_reply
from parley.api.http.fault import STATUS, Fault
from parley.core.refusal import Reason, Refused

T = TypeVar("T")

_WORDS: Final[dict[str, str]] = {
    "unauthorized": "Valid credentials are needed: an account SID or project id with its token, or an API key",
    "not_found": "There is nothing here",
    "method_not_allowed": "The method is not allowed here",
    "internal": "Something went wrong inside Parley; its log says what",
}
_REFUSALS: Final[dict[Reason, tuple[int, str]]] = {
    "not_found": (404, "There is no such thing"),
    "name_taken": (409, "This is taken already"),
    "sender_not_owned": (404, "Nobody owns this number"),
    "sender_of_another_account": (404, "Nobody of this account owns this number"),
    "recipient_invalid": (400, "This is not an address that messages can be sent to"),
    "sender_invalid": (400, "This is not an address that messages can come from"),
}
_CHALLENGE: Final = ((b"www-authenticate", b'Basic realm="Parley"'),)


def explain(error: Fault | Refused, scope: Scope) -> Reply:
    """The answer to a request that was refused."""
    if isinstance(error, Refused):
        status, words = _REFUSALS.get(error.reason, (400, error.reason.replace("_", " ").capitalize()))
        return _problem(status, error.reason, f"{words}: {error.value[:100]}" if error.value else words)
    words = error.detail or _WORDS.get(error.kind, "The request cannot be understood")
    return _problem(STATUS[error.kind], error.kind, words, _CHALLENGE if error.kind == "unauthorized" else ())


def _problem(status: int, code: str, message: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Reply:
    return json_reply(status, {"code": code, "message": message, "status": status}, headers)


def merged(given: Mapping[str, Any], present: msgspec.Struct) -> dict[str, Any]:
    """`present` with what was given in place of what it had."""
    return {**msgspec.to_builtins(present), **given}


def checked(value: Any, type: type[T]) -> T:
    """`value` as a struct. Raises Fault(invalid_parameter) that says what is wrong with it, and where."""
    try:
        return msgspec.convert(value, type)
    except msgspec.ValidationError as error:
        raise Fault("invalid_parameter", str(error)) from None
