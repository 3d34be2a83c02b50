"""Where the tests find a PostgreSQL: the server they are told of, this machine's, or one of their own."""

import asyncio
import fcntl
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import asyncpg

VARIABLE = "PARLEY_TEST_POSTGRES_URL"
LOCAL = "postgresql://postgres@127.0.0.1:5432"

T = TypeVar("T")


class NotAvailableError(Exception):
    """There is no PostgreSQL here; the text says what was tried."""


class Server:
    """A PostgreSQL server on which the tests may create databases."""

    def __init__(self, url: str) -> None:
        """Take the server's address; a database in it is where to stand while creating others."""
        self._parts = urlsplit(url)
        self._maintenance = self.database_url(self._parts.path.lstrip("/") or "postgres")

    def database_url(self, name: str) -> str:
        """Spell the address of one database."""
        return self._parts._replace(path=f"/{name}").geturl()

    def ping(self) -> None:
        """Connect, and see that we may create databases; OSError, TimeoutError or asyncpg.PostgresError otherwise."""
        sql = "SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
        if not run(_fetch(self._maintenance, sql)):
            raise PermissionError(f"the role of {self._parts.hostname} may not create databases")

    def create(self, name: str) -> str:
        """Create an empty database, and return its address."""
        run(_execute(self._maintenance, f'CREATE DATABASE "{name}" TEMPLATE template0'))
        return self.database_url(name)

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        run(_execute(self._maintenance, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))

    def clear(self, name: str) -> None:
        """Empty a database, which is several times quicker than a new one; whoever was still connected is cut off."""
        run(
            _execute(
                self.database_url(name),
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()",
                "DROP SCHEMA public CASCADE",
                "CREATE SCHEMA public",
            )
        )


def find_server(shared: Path) -> Server:
    """Find a server: PARLEY_TEST_POSTGRES_URL, else this machine's, else one started in `shared` for all workers.

    A server that was asked for by name and does not answer is an error; NotAvailableError when there is simply none.
    """
    if url := os.environ.get(VARIABLE):
        server = Server(url)
        server.ping()
        return server
    server = Server(LOCAL)
    try:
        server.ping()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        return _own_server(shared, f"{LOCAL} does not answer ({type(problem).__name__})")
    return server


def new_shared_directory(root: Path | None = None) -> Path:
    """Make the directory in which the workers of one run share a server, readable by whoever will run it."""
    return Path(tempfile.mkdtemp(prefix="parley-test-postgres-", dir=root))


def start_server(shared: Path) -> Server:
    """Start a server of the caller's own in `shared`, which may be restarted. Raises NotAvailableError."""
    return Server(_start(shared))


def restart_server(shared: Path) -> None:
    """Restart a server that was started in `shared`, without a word to whoever is connected."""
    _as_owner(shared, _binary("pg_ctl"), "restart", "-w", "-D", "data", "-m", "immediate", "-l", "log")


def stop_server(shared: Path) -> None:
    """Stop the server that was started in `shared`, if one was, and remove the directory."""
    if (shared / "data" / "postmaster.pid").exists():
        _as_owner(shared, _binary("pg_ctl"), "stop", "-D", "data", "-m", "immediate")
    shutil.rmtree(shared, ignore_errors=True)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end from synchronous code, away from any event loop that a test may have."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


async def _fetch(url: str, sql: str) -> Any:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _own_server(shared: Path, so_far: str) -> Server:
    try:
        _binary("initdb")
    except NotAvailableError as problem:
        raise NotAvailableError(f"{VARIABLE} is not set, {so_far}, and {problem}") from None
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first worker starts it, the others use it
        address = shared / "url"
        if not address.exists():
            address.write_text(_start(shared))
        return Server(address.read_text())


def _start(shared: Path) -> str:
    if os.geteuid() == 0:
        owner = pwd.getpwnam(_owner())
        os.chown(shared, owner.pw_uid, owner.pw_gid)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # No fsync: the tests kill Parley, never PostgreSQL.
    options = f"-p {port} -k {shared} -h 127.0.0.1 -c fsync=off -c full_page_writes=off"
    options += " -c max_connections=200 -c max_wal_size=128MB"
    flags = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
    _as_owner(shared, _binary("initdb"), "-D", "data", *flags)
    _as_owner(shared, _binary("pg_ctl"), "start", "-w", "-D", "data", "-l", "log", "-o", options)
    return f"postgresql://postgres@127.0.0.1:{port}"


def _as_owner(shared: Path, *command: str) -> None:
    """Run a command in the shared directory, as the user whose server it is: PostgreSQL refuses to run as root."""
    user = _owner() if os.geteuid() == 0 else None
    group = pwd.getpwnam(user).pw_gid if user else None
    done = subprocess.run(
        command,
        cwd=shared,
        user=user,
        group=group,
        extra_groups=[] if user else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        log = shared / "log"
        raise NotAvailableError(f"{command[0]} failed: {done.stderr}{log.read_text() if log.exists() else ''}")


def _owner() -> str:
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"


def _binary(name: str) -> str:
    """Find one of the server's programs, the newest version first; Debian keeps them off PATH."""
    versions = sorted(
        (path for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")),
        key=lambda path: float(path.parts[-3]),
        reverse=True,
    )
    found = str(versions[0]) if versions else shutil.which(name)
    if found is None:
        raise NotAvailableError(f"there is no {name} on this machine")
    return found
