"""The pages say what the program does: the settings, every path of our own, every command."""

import csv
import re
from pathlib import Path
from typing import Final
from unittest.mock import MagicMock

import pytest
from starlette.routing import Route

from parley.api.admin.consent_routes import routes as consent_routes
from parley.api.admin.routes import routes as own_routes
from parley.cli import main
from tests.docs.settings_page import PAGE, page

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"


def text(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def test_the_settings_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.docs.settings_page"


def test_every_path_of_our_own_is_told() -> None:
    told = set(re.findall(r"`([A-Z]+ /[^`?\s]*)`", text("extensions.md") + text("operations.md")))
    routes = [
        route
        for make in (own_routes, consent_routes)
        for route in make(*(MagicMock() for _ in range(make.__code__.co_argcount)))
    ]
    served = {f"{method} {route.path}" for route in routes for method in _of(route)}
    assert served - told == set()
    assert {each for each in told if not each.split(" ")[1].startswith("/api/")} - served == set()


def test_every_command_is_told() -> None:
    everything = "".join(path.read_text("utf-8") for path in (*DOCS.glob("*.md"), DOCS.parent / "README.md"))
    for name in main.list_commands(MagicMock()):
        assert f"`parley {name}" in everything, name


@pytest.mark.parametrize("table", sorted(DOCS.glob("compat/*.csv")), ids=lambda path: path.stem)
def test_a_table_has_each_parameter_once_and_each_note_whole(table: Path) -> None:
    """A comma in a note that is not quoted would end it."""
    head, *rows = csv.reader(table.read_text("utf-8").splitlines())
    assert head == ["operation", "parameter", "status", "code", "note"]
    assert [row for row in rows if len(row) != len(head)] == []
    assert len({tuple(row[:2]) for row in rows}) == len(rows) > 0


def _of(route: Route) -> set[str]:
    return (route.methods or set()) - {"HEAD"}
