"""Holding an answer against the table of its object's fields, tests/specs/signalwire_fields.csv."""

import csv
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from tests.openapi import SPECS

OPERATIONS: Final = list(csv.DictReader((SPECS / "signalwire_operations.csv").read_text().splitlines()))
_FIELDS: Final[dict[str, dict[str, dict[str, str]]]] = {}
for _row in csv.DictReader((SPECS / "signalwire_fields.csv").read_text().splitlines()):
    _FIELDS.setdefault(_row["object"], {})[_row["field"]] = _row
_GUIDES: Final = {"messaging_campaign_id"}
"""What the guides have an answer tell besides."""


def hold(described: str, body: Any) -> None:
    """Hold an answer against an object's name, `list` and a name, nothing for no body, or `any`."""
    if described == "any":
        return
    if not described:
        assert body is None
    elif described.startswith("list "):
        assert sorted(body) == ["data", "links"]
        _hold_object("PaginationLinks", body["links"], "links")
        for each in body["data"]:
            _hold_object(described.removeprefix("list "), each, "data")
    else:
        _hold_object(described, body, described)


def _hold_object(name: str, body: Any, at: str) -> None:
    fields = _FIELDS[name]
    assert isinstance(body, dict), f"{at} is no object"
    unknown = body.keys() - fields.keys() - _GUIDES
    assert not unknown, f"{at} has {unknown}, which {name} has not"
    for field, row in fields.items():
        if field not in body:
            assert row["required"] == "no", f"{at}.{field} is missing"
        elif body[field] is not None or row["required"] == "yes":
            _hold_value(row["type"], body[field], f"{at}.{field}")


def _hold_value(kind: str, value: Any, at: str) -> None:
    if kind.endswith(" or null"):
        if value is None:
            return
        kind = kind.removesuffix(" or null")
    if kind.endswith("[]"):
        assert isinstance(value, list), f"{at} is no list"
        for each in value:
            _hold_value(kind.removesuffix("[]"), each, at)
    elif kind in _FIELDS:
        _hold_object(kind, value, at)
    else:
        assert _is(kind, value), f"{at}: {value!r} is not {kind}"


def _is(kind: str, value: Any) -> bool:
    match kind:
        case "any":
            return True
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float)
        case "text":
            return isinstance(value, str)
        case "time":
            return str(value).endswith("Z") and datetime.fromisoformat(value).tzinfo is not None
        case "url":
            return urlsplit(str(value)).scheme in ("http", "https") or str(value).startswith("/")
        case "uuid":
            return str(UUID(value)) == str(value)
    return str(value) in kind.split("|")
