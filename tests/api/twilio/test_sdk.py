"""What the official client can send: each parameter of its methods for what is served has a row in docs/compat."""

import ast
import csv
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import pytest

from tests.api.twilio.client import Raw
from tests.server import Server

TABLES: Final = sorted((Path(__file__).parents[3] / "docs" / "compat").glob("twilio*.csv"))
ROWS: Final = [row for table in TABLES for row in csv.DictReader(table.read_text().splitlines())]
PLACES: Final = {
    "api/v2010": "/2010-04-01",
    **{f"{name}/v{n}": f"/{name}/v{n}" for name in ("lookups", "messaging", "pricing") for n in (1, 2)},
}
"""Where the client keeps each part of the API, and where that is served."""
METHODS: Final = {"create": "POST", "update": "POST", "fetch": "GET", "page": "GET", "delete": "DELETE"}


def shape(path: str) -> str:
    """A path whatever its variables are called."""
    return re.sub(r"\{\w+\}", "{}", path)


def given_by(method: ast.AST) -> set[str]:
    """The names of the parameters that a method puts into its request."""
    return {
        key.value
        for call in ast.walk(method)
        if isinstance(call, ast.Assign)
        and any(isinstance(to, ast.Name) and to.id in ("data", "params") for to in call.targets)
        for given in ast.walk(call.value)
        if isinstance(given, ast.Dict)
        for key in given.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }


def of_class(definition: ast.ClassDef, source: str, place: str) -> Iterator[tuple[str, set[str]]]:
    """The operations of a list or a context, and what each may be given."""
    lines = source.splitlines()[definition.lineno - 1 : definition.end_lineno]
    paths = re.findall(r'self\._uri = \(?\s*f?["\'](/[^"\']*)["\']', "\n".join(lines))
    for method in definition.body:
        if isinstance(method, ast.FunctionDef) and paths and (verb := METHODS.get(method.name.strip("_"))):
            yield f"{verb} {shape(place + paths[0])}", given_by(method)


def sendable() -> dict[str, set[str]]:
    """Of each operation that the client knows, the parameters that it may send."""
    spec = find_spec("twilio.rest")
    assert spec is not None
    assert spec.origin is not None
    found: dict[str, set[str]] = {}
    for part, place in PLACES.items():
        for file in (Path(spec.origin).parent / part).rglob("*.py"):
            source = file.read_text()
            for definition in ast.parse(source).body:
                if isinstance(definition, ast.ClassDef):
                    for operation, names in of_class(definition, source, place):
                        found.setdefault(operation, set()).update(names)
    return found


SENDABLE: Final = sendable()
LISTED: Final = sorted({row["operation"] for row in ROWS})


SERVED: Final = [operation for operation in LISTED if shape(operation) in SENDABLE]


def test_the_walk_finds_what_is_served() -> None:
    assert {"To", "From", "MessageIntent"} <= SENDABLE["POST /2010-04-01/Accounts/{}/Messages.json"]
    assert {"DateSent<", "PageSize"} <= SENDABLE["GET /2010-04-01/Accounts/{}/Messages.json"]
    assert {operation.split("/")[1] for operation in SERVED} == {place.split("/")[1] for place in PLACES.values()}
    assert len(SERVED) > len(LISTED) * 2 // 3


@pytest.mark.parametrize("operation", SERVED)
def test_each_parameter_that_it_may_send_is_listed(operation: str) -> None:
    listed = {row["parameter"] for row in ROWS if row["operation"] == operation}
    assert SENDABLE[shape(operation)] <= listed


@pytest.mark.parametrize(("intent", "status"), [("otp", 201), ("CustomerCare", 201), ("", 201), ("fun", 400)])
def test_what_a_message_is_for(server: Server, intent: str, status: int) -> None:
    answer = Raw(server).message(To="+15550006003", From="+15551234567", Body="x", MessageIntent=intent)
    assert answer.status_code == status
    if status == 400:
        assert answer.json()["code"] == 20001
