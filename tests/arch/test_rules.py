"""The house rules, each held against the whole tree, and each shown to bite on a line that breaks it."""

import ast
import re
import tomllib
from collections.abc import Iterator

import pytest

from tests.arch.source import PACKAGE, ROOT, imports, layer, modules, parse, texts, uses

MOST_LINES = 600
SQL = re.compile(
    r"^\s*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s|PRAGMA\s|LISTEN\s|NOTIFY\s|COPY\s"
    r"|(CREATE|ALTER|DROP)\s+(TABLE|INDEX|SCHEMA|DATABASE|UNIQUE)\s)"
)
DATABASES = {"alembic", "asyncpg", "sqlalchemy", "sqlite3"}
CLOCKS = {
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.perf_counter_ns",
    "time.sleep",
    "time.time",
    "time.time_ns",
}
CHANCE = {"os.getrandom", "os.urandom", "uuid.uuid1", "uuid.uuid4", "uuid.uuid6", "uuid.uuid7"}
EMPTY_WORDS = {"base", "common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}
A_CARRIER_SEES = ("parley.core.carrier", "parley.model", "parley.lib", "parley.carriers")


def clock_or_chance(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for line, name in uses(tree):
        dice = name.startswith(("random.", "secrets.")) and name != "secrets.compare_digest"
        if dice or name in CLOCKS or name in CHANCE:
            yield line, name


def sql(tree: ast.Module) -> Iterator[tuple[int, str]]:
    return ((line, text) for line, text in texts(tree) if SQL.match(text))


def beyond_a_carrier(tree: ast.Module) -> set[str]:
    ours = {name for name in imports(tree) if name == "parley" or name.startswith("parley.")}
    return {name for name in ours if not any(f"{name}.".startswith(f"{seen}.") for seen in A_CARRIER_SEES)}


def empty_words(name: str) -> set[str]:
    return EMPTY_WORDS & set(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_"))


def test_no_file_is_too_long_to_hold_in_the_head() -> None:
    files = [*modules(), *(ROOT / "tests").rglob("*.py"), *(ROOT / "bench").rglob("*.py")]
    lengths = {path.relative_to(ROOT): path.read_text(encoding="utf-8").count("\n") for path in files}
    assert {path: lines for path, lines in lengths.items() if lines > MOST_LINES} == {}


def test_sql_stands_in_the_store_only() -> None:
    found = [(path.name, *hit) for path in modules() if layer(path) != "store" for hit in sql(parse(path))]
    assert found == []


def test_databases_are_spoken_to_by_the_store_only() -> None:
    found = {
        (path.name, name)
        for path in modules()
        if layer(path) != "store"
        for name in imports(parse(path))
        if name.partition(".")[0] in DATABASES
    }
    assert found == set()


def test_clocks_and_chance_are_injected_from_lib() -> None:
    found = [(path.name, *hit) for path in modules() if layer(path) != "lib" for hit in clock_or_chance(parse(path))]
    assert found == []


def test_names_say_what_a_thing_is() -> None:
    paths = {path.relative_to(PACKAGE) for path in modules()}
    paths = {path for path in paths if any(empty_words(part) for part in path.with_suffix("").parts)}
    classes = {
        node.name
        for path in modules()
        for node in ast.walk(parse(path))
        if isinstance(node, ast.ClassDef) and empty_words(node.name)
    }
    assert (paths, classes) == (set(), set())


def test_a_carrier_sees_the_contract_the_model_and_lib() -> None:
    found = {(path.name, name) for path in modules("carriers") for name in beyond_a_carrier(parse(path))}
    assert found == set()


def test_the_carriers_contract_forbids_every_rung_between() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    contracts = {contract["name"]: contract for contract in config["contracts"]}
    ladder = [re.findall(r"\w+", rungs) for rungs in contracts["One-way layers"]["layers"]]
    top = next(index for index, rung in enumerate(ladder) if "carriers" in rung)
    between = {f"parley.{name}" for rung in ladder[top + 1 :] for name in rung} - {"parley.model", "parley.lib"}
    carriers = contracts["A carrier sees only the carrier contract"]
    assert set(carriers["forbidden_modules"]) == between
    assert {ignored.partition(" -> ")[2] for ignored in carriers["ignore_imports"]} == {"parley.core.carrier"}


@pytest.mark.parametrize(
    "line",
    [
        "import time as t\nt.time()",
        "from time import monotonic as now\nnow()",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime, UTC\ndatetime.now(UTC)",
        "import random\nrandom.random()",
        "from secrets import token_hex\ntoken_hex()",
        "import os\nentropy = os.urandom",
        "from uuid import uuid4\nuuid4()",
    ],
)
def test_clock_or_chance_bites(line: str) -> None:
    assert list(clock_or_chance(ast.parse(line)))


@pytest.mark.parametrize(
    "line",
    [
        "import secrets\nsecrets.compare_digest(a, b)",
        "from uuid import UUID\nUUID(x)",
        "clock.time()",
        "time = 1\ntime.time",
    ],
)
def test_clock_or_chance_lets_the_innocent_pass(line: str) -> None:
    assert not list(clock_or_chance(ast.parse(line)))


@pytest.mark.parametrize("text", ["SELECT 1", " INSERT INTO {x} VALUES", "UPDATE messages SET a = 1", "PRAGMA foo"])
def test_sql_bites(text: str) -> None:
    assert list(sql(ast.parse(f"query = {text!r}")))
    assert list(sql(ast.parse(f"query = f{text!r}".replace("{x}", "{table}"))))


@pytest.mark.parametrize("text", ["Select a number", "UPDATE", "SELECTED", "WITH love", "COPYING"])
def test_sql_lets_words_pass(text: str) -> None:
    assert not list(sql(ast.parse(f"'''{text} in a docstring'''\nx = {text!r}")))


@pytest.mark.parametrize("name", ["http_utils", "utils", "SessionManager", "BaseCarrier"])
def test_empty_words_bite(name: str) -> None:
    assert empty_words(name)


@pytest.mark.parametrize("name", ["database", "commonwealth", "asynccontextmanager"])
def test_empty_words_let_longer_ones_pass(name: str) -> None:
    assert not empty_words(name)


@pytest.mark.parametrize(
    "line", ["import parley.store", "from parley.core import send", "from parley.core.carriers import x"]
)
def test_beyond_a_carrier_bites(line: str) -> None:
    assert beyond_a_carrier(ast.parse(line))


@pytest.mark.parametrize(
    "line", ["from parley.core import carrier", "from parley.core.carrier import X", "import parley.lib.ids"]
)
def test_beyond_a_carrier_lets_its_own_world_pass(line: str) -> None:
    assert not beyond_a_carrier(ast.parse(line))
