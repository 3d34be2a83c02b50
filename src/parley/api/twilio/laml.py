"""SignalWire's spelling of the API of 2010, for whoever names the account by its project's UUID: ids are UUIDs, paths
begin with /api/laml. Source: SignalWire's compatibility API, messages.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from msgspec import json
from msgspec.structs import replace

from parley.api.http.credentials import basic
from parley.api.http.decode import json_object
from parley.api.http.endpoint import Call, Reply
from parley.lib.ids import parse_uuid, to_uuid

_SID: Final = re.compile(r"\b[A-Z]{2}([0-9a-f]{32})\b")
_PREFIX: Final = "/api/laml"
_JSON: Final = b"application/json"


def is_asked(call: Call) -> bool:
    """Whether a request names its account so."""
    return not call.path["AccountSid"].startswith("AC")


def is_spoken(call: Call) -> bool:
    """Whether a request came by the paths, the account's name or the credentials of SignalWire's projects."""
    named = call.path.get("AccountSid") or basic(call.headers)[0]
    return call.scope.get("parley.prefix") == _PREFIX or parse_uuid(named) is not None


def accept_json(call: Call) -> None:
    """Make a form of a JSON body, which SignalWire takes as well: a list repeats its name, a null is not there.

    Raises Fault(malformed).
    """
    kind = call.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != _JSON or not call.body:
        return
    given = json_object(call.body)
    pairs = [
        (name, each if isinstance(each, str) else json.encode(each))
        for name, value in given.items()
        for each in (value if isinstance(value, list) else (value,))
        if each is not None
    ]
    call.body = urlencode(pairs).encode()
    call.headers = {**call.headers, b"content-type": b"application/x-www-form-urlencoded"}


def respelled(reply: Reply) -> Reply:
    """An answer whose ids, and the paths that they stand in, are SignalWire's."""
    if reply.content_type != _JSON or not reply.body:
        return reply
    return replace(reply, body=json.encode(_value("", json.decode(reply.body))))


def parameters(given: Mapping[str, str]) -> dict[str, str]:
    """A webhook's parameters in the same spelling."""
    return {
        name: _ids(value) if name.endswith("Sid") or name.startswith("MediaUrl") else value
        for name, value in given.items()
    }


def _value(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _value("uri" if name == "subresource_uris" else key, each) for key, each in value.items()}
    if isinstance(value, list):
        return [_value(name, each) for each in value]
    if not isinstance(value, str | int):
        return value
    if name == "error_code":
        return str(value)
    if not isinstance(value, str):
        return value
    if name.endswith("sid"):
        return _ids(value)
    if name.endswith("uri") and value.startswith("/"):
        path, mark, query = value.partition("?")
        return f"{_PREFIX}{_ids(path)}{mark}{query}"
    if name == "num_segments":
        return int(value)
    return float(value) if name == "price" else value


def _ids(text: str) -> str:
    return _SID.sub(lambda found: to_uuid(bytes.fromhex(found[1])), text)
