"""Describe Parley's own surface as OpenAPI 3.1: GET /openapi.json.

The tables stand beside this module, by what they are about, in a shorthand that is spelled out here. Twilio's API is
described by Twilio.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from parley.api.admin.openapi import (
    account,
    calls,
    consents,
    links,
    messaging,
    process,
    record,
    signalwire,
    signalwire_fields,
    simulator,
)
from parley.api.admin.openapi.operation import Operation
from parley.api.http.endpoint import Reply
from parley.model.behaviour import Behaviour, Faults
from parley.model.registry import Reviewers

PATH: Final = "/openapi.json"

_REF: Final = "#/components/schemas/"
_PLAIN: Final[dict[str, dict[str, Any]]] = {
    "any": {},
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "count": {"type": "integer", "minimum": 0},
    "number": {"type": "number"},
    "object": {"type": "object"},
    "str": {"type": "string"},
    "strings": {"type": "array", "items": {"type": "string"}},
    "time": {"type": "string", "format": "date-time"},
    "url": {"type": "string", "format": "uri"},
    "uuid": {"type": "string", "format": "uuid"},
}
_ERRORS: Final = {
    "messaging": ("SignalWireError", "SignalWireErrors"),
    "relay": ("SignalWireError", "RelayErrors"),
    "parley": ("Problem", "Problem"),
}
"""Whose error bodies an operation answers: for a request refused as a whole, and for its parameters or its rate."""
_PARTS: Final = (messaging, simulator, record, account, process, consents, links, calls, signalwire)
_OBJECTS: Final = (messaging, simulator, record, account, process, consents, links, calls, signalwire_fields)
_EVERYWHERE: Final = (400, 401, 403, 413, 429, 500, 503)


def document(version: str) -> dict[str, Any]:
    """The whole description."""
    paths: dict[str, dict[str, Any]] = {}
    for told in (each for part in _PARTS for each in part.OPERATIONS):
        paths.setdefault(told.path, {})[told.method.lower()] = _operation(told)
    own = {name: _object(fields) for part in _OBJECTS for name, fields in part.FIELDS.items()}
    _, generated = msgspec.json.schema_components((Behaviour, Faults, Reviewers), ref_template=_REF + "{name}")
    for name in generated:  # what is left out of a change stays as it is
        own[f"{name}Change"] = {**generated[name], "required": []}
        own[name] = {**generated[name], "required": sorted(generated[name]["properties"])}
    own["Phone"]["properties"] |= own["Behaviour"]["properties"]
    own["Phone"]["required"] = sorted(own["Phone"]["properties"])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Parley",
            "version": version,
            "description": "SignalWire's APIs for messaging, the phone simulator, and Parley's own record. "
            "Twilio's API is served under /2010-04-01 as Twilio describes it.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for part in _PARTS for name, text in part.TAGS.items()],
        "security": [{"basic": []}],
        "paths": paths,
        "components": {
            "schemas": own,
            "securitySchemes": {
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Account SID or project id with the auth token, or an API key with its secret.",
                }
            },
        },
    }


class Description:
    """Serves the description, which is made once."""

    def __init__(self, version: str) -> None:
        self._reply = Reply(200, msgspec.json.encode(document(version)))

    async def show(self) -> Reply:
        """GET /openapi.json."""
        return self._reply


def schema(shorthand: str) -> dict[str, Any]:
    """A schema in full: `name` of a plain one or of a component, `[x]` for an array, `x?` where it may be null, `a|b`
    for one of a few words.
    """
    if shorthand.endswith("?"):
        inner = schema(shorthand[:-1])
        if "enum" in inner:
            return {"type": ["string", "null"], "enum": [*inner["enum"], None]}
        if isinstance(inner.get("type"), str):
            return {**inner, "type": [inner["type"], "null"]}
        return {"anyOf": [inner, {"type": "null"}]}
    if shorthand.startswith("["):
        return {"type": "array", "items": schema(shorthand[1:-1])}
    if "|" in shorthand:
        return {"type": "string", "enum": shorthand.split("|")}
    plain = _PLAIN.get(shorthand)
    return dict(plain) if plain is not None else {"$ref": _REF + shorthand}


def _object(fields: Mapping[str, str]) -> dict[str, Any]:
    """An object of exactly these fields. One whose name ends in `?` may be missing."""
    return {
        "type": "object",
        "properties": {name.removesuffix("?"): schema(kind) for name, kind in fields.items()},
        "required": [name for name in fields if not name.endswith("?")],
        "additionalProperties": False,
    }


def _operation(told: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "tags": [told.tag],
        "summary": told.summary,
        "operationId": told.id,
        "responses": _responses(told),
    }
    if told.is_open:
        found["security"] = []
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": schema(kind)} for name, kind in told.path_parameters
    ] + [{"name": name, "in": "query", "schema": schema(kind)} for name, kind in told.query]
    if parameters:
        found["parameters"] = parameters
    if told.body is not None:
        media_type, _, inner = told.body.rpartition(" ")
        content = {media_type or "application/json": {"schema": schema(inner)}}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _responses(told: Operation) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, (description, kind) in told.answers.items():
        responses[str(status)] = {"description": description}
        if kind is not None:
            media_type, _, inner = kind.rpartition(" ")
            responses[str(status)]["content"] = {media_type or "application/json": {"schema": schema(inner)}}
    whole, parameters = _ERRORS[told.errors]
    for status in sorted({*(() if told.is_open else _EVERYWHERE), *told.refusals}):
        name = parameters if status in (422, 429) else whole
        responses[str(status)] = {
            "description": _REFUSALS[status],
            "content": {"application/json": {"schema": schema(name)}},
        }
    return responses


_REFUSALS: Final = {
    400: "The request cannot be understood",
    401: "Credentials are missing or wrong",
    403: "These credentials have no permission for this",
    404: "There is no such thing",
    409: "It is taken already",
    413: "The request is too large",
    415: "The body is not of a type that is taken here",
    422: "The request's parameters are wrong; each error names one",
    429: "The account asks too much at once, or the server has too much to do; try again shortly",
    500: "Something went wrong inside Parley",
    503: "The message store is away; try again shortly",
}
