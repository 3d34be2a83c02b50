"""Holding an answer against the description of its API: nothing undeclared, nothing missing, each format kept."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from jsonschema import FormatChecker
from openapi_schema_validator import OAS30Validator, OAS31Validator

SPECS = Path(__file__).parent / "specs"

TWILIO_ERROR = {
    "type": "object",
    "properties": {
        "code": {"type": "integer", "minimum": 10001},
        "message": {"type": "string", "minLength": 1},
        "more_info": {"type": "string", "pattern": r"^https://www\.twilio\.com/docs/errors/\d{5}$"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
    },
}
"""The error body, which Twilio's document leaves out (twilio.com/docs/usage/twilios-response#errors)."""


def validate_answer(method: str, path: str, status: int, body: Any) -> None:
    """Hold a Twilio answer (parsed JSON, None when empty) against its document; AssertionError lists all that is wrong.

    `path` is the document's template or the path of a real request, behind `/<product>` for all but the API of 2010.
    """
    name, path = document_of(path)
    if status >= 400:
        _operation(name, method, path)
        problems = _problems(_twilio_validator(json.dumps(TWILIO_ERROR)), body)
        if not problems and body["status"] != status:
            problems = [f"status: {body['status']} in the body, {status} on the wire"]
    else:
        problems = _answer_problems(name, method, path, status, body)
    assert not problems, f"{method} {path} {status}:\n  " + "\n  ".join(problems)


def document_of(path: str) -> tuple[str, str]:
    """Which document describes `/messaging/v1/...` or `/2010-04-01/...`, and the path as it stands there."""
    if path.startswith("/2010-04-01"):
        return "twilio_api_v2010", path
    product, version, _ = f"{path}/".removeprefix("/").split("/", 2)
    return f"twilio_{product}_{version}", path.removeprefix(f"/{product}")


def validate_signalwire_answer(method: str, path: str, status: int, body: Any) -> None:
    """Hold a SignalWire answer against its document, as `validate_answer` does."""
    problems = _answer_problems("signalwire_messages", method, path, status, body)
    assert not problems, f"{method} {path} {status}:\n  " + "\n  ".join(problems)


def _answer_problems(name: str, method: str, path: str, status: int, body: Any) -> list[str]:
    responses = _operation(name, method, path)["responses"]
    if str(status) not in responses:
        return [f"{status} is not among the described answers {sorted(responses)}"]
    content = responses[str(status)].get("content")
    if content is None:
        return [] if body is None else ["a body where none is described"]
    schema = json.dumps(_strict(content["application/json"]["schema"], _document(name)["components"]["schemas"]))
    return _problems(_twilio_validator(schema) if name.startswith("twilio") else _signalwire_validator(schema), body)


def _problems(validator: Any, body: Any) -> list[str]:
    errors = sorted(validator.iter_errors(body), key=lambda error: list(map(str, error.absolute_path)))
    return [f"{'.'.join(map(str, error.absolute_path)) or 'body'}: {error.message}" for error in errors]


@cache
def _document(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((SPECS / f"{name}.json").read_text(encoding="utf-8"))
    _correct(name, document["components"]["schemas"])
    return document


def _correct(name: str, schemas: dict[str, Any]) -> None:
    """Set right where a document contradicts the examples in it or on twilio.com, whose word clients go by."""
    for described in schemas.values():  # what may be null may be, whichever other words there are
        if described.get("nullable") and None not in described.get("enum", (None,)):
            described["enum"].append(None)
    if name == "twilio_api_v2010":  # money is text: "2192.84855"
        for schema, described in schemas.items():
            if schema.startswith("api.v2010.account.usage.usage_record"):
                described["properties"]["price"]["type"] = "string"
    elif name == "twilio_pricing_v1":  # likewise: "0.05"
        prices = schemas["pricing.v1.messaging.messaging_country-instance"]["properties"]
        outbound = prices["outbound_sms_prices"]["items"]["properties"]["prices"]["items"]["properties"]
        for each in (outbound, prices["inbound_sms_prices"]["items"]["properties"]):
            each["base_price"]["type"] = each["current_price"]["type"] = "string"
    elif name == "twilio_lookups_v2":  # a package that was not asked for is null, as is what a package does not know
        for schema, described in schemas.items():
            if schema == "LookupResponse" or schema.endswith("Info"):
                for field in described["properties"].values():
                    field.setdefault("nullable", True)


def _operation(name: str, method: str, path: str) -> dict[str, Any]:
    """Find an operation by template or by real path; where several templates match, the most literal one."""
    paths: dict[str, Any] = _document(name)["paths"]
    plain = path.partition("?")[0]
    fits = [t for t in paths if t == plain or re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(t)), plain)]
    if not fits:
        raise LookupError(f"{name} describes no {plain}")
    template = min(fits, key=lambda found: (found != plain, found.count("{")))
    if method.lower() not in paths[template]:
        raise LookupError(f"{name} describes no {method} {template}")
    operation: dict[str, Any] = paths[template][method.lower()]
    return operation


def _strict(schema: Any, schemas: Mapping[str, Any]) -> Any:
    """Resolve references, close every object, and require all its properties unless the document says which are."""
    if isinstance(schema, list):
        return [_strict(item, schemas) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _strict({**schemas[schema["$ref"].rpartition("/")[2]], **rest}, schemas)
    closed = {key: _strict(value, schemas) for key, value in schema.items() if key != "properties"}
    if schema.get("nullable") and "enum" in schema:  # Twilio's own examples have null there
        closed["enum"] = [*schema["enum"], None]
    if "properties" in schema:
        closed["properties"] = {key: _strict(value, schemas) for key, value in schema["properties"].items()}
        closed = {"required": sorted(schema["properties"]), "additionalProperties": False, **closed}
    return closed


def _checks(formats: Mapping[str, Any]) -> FormatChecker:
    checker = FormatChecker(formats=())
    for name, holds in formats.items():
        checker.checks(name, raises=(ValueError, TypeError))(holds)
    return checker


def _is_rfc_2822(text: object) -> bool:
    return not isinstance(text, str) or format_datetime(parsedate_to_datetime(text)) == text


def _is_rfc_3339_utc(text: object) -> bool:
    return not isinstance(text, str) or (text.endswith("Z") and datetime.fromisoformat(text).tzinfo is not None)


def _is_uri(text: object) -> bool:
    """Absolute, or a path on the same origin; Twilio leaves an address that is not set empty."""
    if not isinstance(text, str) or text == "":
        return True
    parts = urlsplit(text)
    return not re.search(r"\s", text) and (
        text.startswith("/") or (parts.scheme in {"http", "https"} and bool(parts.netloc))
    )


def _is_uri_map(links: object) -> bool:
    return not isinstance(links, dict) or all(
        isinstance(link, str) and link and _is_uri(link) for link in links.values()
    )


def _is(pattern: str) -> Any:
    return lambda text: not isinstance(text, str) or re.fullmatch(pattern, text) is not None


TWILIO_FORMATS = _checks(
    {
        "currency": _is(r"[A-Z]{3}|[a-z]{3}"),
        "date": lambda text: not isinstance(text, str) or bool(date.fromisoformat(text)),
        "date-time": _is(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),  # all that Twilio's Python client parses
        "date-time-rfc-2822": _is_rfc_2822,
        "http-method": _is(r"GET|POST"),
        "iso-country-code": _is(r"[A-Z]{2}"),
        "phone-number": _is(r"\S(.*\S)?"),  # a sender may be alphanumeric, a short code or a channel's address
        "uri": _is_uri,
        "uri-map": _is_uri_map,
    }
)
SIGNALWIRE_FORMATS = _checks(
    {
        "date-time": _is_rfc_3339_utc,
        "uri": _is_uri,
        "uuid": lambda text: not isinstance(text, str) or str(UUID(text)) == text,
    }
)


@cache
def _twilio_validator(schema: str) -> Any:
    return OAS30Validator(json.loads(schema), format_checker=TWILIO_FORMATS)


@cache
def _signalwire_validator(schema: str) -> Any:
    return OAS31Validator(json.loads(schema), format_checker=SIGNALWIRE_FORMATS)
