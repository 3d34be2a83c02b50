"""What every test may ask for: a place for a store on either engine, and a loud word when PostgreSQL was not there."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import npm, places, pypi
from tests.places import Tables
from tests.postgres import NotAvailableError, Server, find_server, new_shared_directory, stop_server
from tests.receiver import Receiver, receiving
from tests.server import Server as Parley
from tests.server import serve

# Nothing is timed: a busy machine is no failure. On CI the same examples every time, elsewhere new ones.
settings.register_profile(
    "parley",
    deadline=None,
    derandomize="CI" in os.environ,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("parley")

# Where pytest makes what `tmp_path` is in.
if (in_memory := places.root()) is not None:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(in_memory))

SHARED = pytest.StashKey[Path]()
SKIPPED = "PostgreSQL was not tested: "


def pytest_configure(config: pytest.Config) -> None:
    """Agree on the directory in which all workers of this run share a PostgreSQL of their own."""
    worker = getattr(config, "workerinput", None)
    config.stash[SHARED] = Path(worker["postgres"]) if worker else new_shared_directory(in_memory)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a new worker where that directory is."""
    node.workerinput["postgres"] = str(node.config.stash[SHARED])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the workers started, once, at the very end."""
    if not hasattr(config, "workerinput"):
        stop_server(config.stash[SHARED])


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly, before the closing line, that a part of what Parley promises was not looked at."""
    for what in (SKIPPED, npm.SKIPPED, pypi.SKIPPED):
        reasons = [
            report.longrepr[2].partition(what)[2]
            for report in terminalreporter.stats.get("skipped", [])
            if isinstance(report.longrepr, tuple) and what in report.longrepr[2]
        ]
        if reasons:
            terminalreporter.section(what.rstrip(": ").upper(), red=True, bold=True)
            terminalreporter.line(f"{len(reasons)} tests were skipped: {reasons[0]}", red=True)


@pytest.fixture(scope="session")
def postgres_server(pytestconfig: pytest.Config) -> Server:
    """Return a PostgreSQL server to create databases on, or skip."""
    try:
        return find_server(pytestconfig.stash[SHARED])
    except NotAvailableError as problem:
        pytest.skip(f"{SKIPPED}{problem}")


@pytest.fixture(scope="session")
def postgres_url(postgres_server: Server) -> Iterator[str]:
    """Return an empty database that is this worker's for the whole run."""
    name = f"parley_test_{secrets.token_hex(6)}"
    try:
        yield postgres_server.create(name)
    finally:
        postgres_server.drop(name)


@pytest.fixture(scope="session")
def _postgres_empty(postgres_server: Server) -> Iterator[str]:
    name = f"parley_test_{secrets.token_hex(6)}"
    try:
        postgres_server.create(name)
        yield name
    finally:
        postgres_server.drop(name)


@pytest.fixture(scope="session")
def _postgres_tables(postgres_server: Server) -> Iterator[Tables]:
    name = f"parley_test_{secrets.token_hex(6)}"
    try:
        tables = Tables(postgres_server.create(name))
        yield tables
        tables.close()
    finally:
        postgres_server.drop(name)


@pytest.fixture
def sqlite_store_url(tmp_path: Path) -> str:
    """Return a place for a SQLite database that is this test's alone."""
    return f"sqlite:///{tmp_path}/parley.db"


@pytest.fixture
def empty_postgres_url(postgres_server: Server, _postgres_empty: str) -> str:
    """Return a PostgreSQL database without tables that is this test's alone until it ends."""
    postgres_server.clear(_postgres_empty)
    return postgres_server.database_url(_postgres_empty)


@pytest.fixture
def postgres_store_url(_postgres_tables: Tables) -> str:
    """Return a PostgreSQL database with today's tables and no record that is this test's alone until it ends."""
    _postgres_tables.empty()
    return _postgres_tables.url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """Return a place for this test's store, once on each engine."""
    fixture = {"sqlite": "sqlite_store_url", "postgresql": "postgres_store_url"}[request.param]
    url = request.getfixturevalue(fixture)
    assert isinstance(url, str)
    return url


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parley]:
    """Return a Parley with a fresh SQLite store, shared by the module's tests: use numbers of your own in each."""
    with serve(f"sqlite:///{tmp_path_factory.mktemp('parley')}/parley.db") as parley:
        yield parley


@pytest.fixture
def fresh_server(store_url: str) -> Iterator[Parley]:
    """Return a Parley that is this test's alone, once on each engine."""
    with serve(store_url) as parley:
        yield parley


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return an app that takes webhooks."""
    with receiving() as app:
        yield app
