"""The database: is it there, of this version, writable, safe where it lies, and does the key open its secrets?"""

import os
import stat
from pathlib import Path
from typing import Final

from parley.cli.checkup.finding import Finding, broken, doubtful, well
from parley.cli.key import key_file, vault_of
from parley.lib import ids
from parley.lib.clock import Clock
from parley.settings import Settings
from parley.store import Engine, StoreUnavailable, accounts, inspect
from parley.store import settings as stored
from parley.store.connect import UrlError, open_engine, sqlite_path
from parley.store.migrate import HEAD, current
from parley.store.vault import VaultError

_REMOTE: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "glusterfs", "lustre", "gpfs", "fuse.sshfs", "fuse.s3fs"}
)
_MOUNTS: Final = Path("/proc/self/mounts")
_EARLIEST_US: Final = 1_767_225_600_000_000
"""2026: no clock that is right says less."""
_SKEW_US: Final = 1_000_000
_MARK: Final = "doctor"


async def check_database(settings: Settings, clock: Clock) -> tuple[list[Finding], list[str]]:
    """Findings about the database, the clock and the key; and, where it can be read, the URLs that webhooks go to."""
    try:
        path = sqlite_path(settings.database_url)
        if path is not None and not path.exists():
            return [_absent(path), _clock(clock, None, None)], []
        revision = await current(settings.database_url)
    except UrlError as problem:
        return [broken("database", str(problem), "Set PARLEY_DATABASE_URL.")], []
    except StoreUnavailable as problem:
        return [broken("database", str(problem), "See that the database is there, runs, and lets this user in.")], []
    found = [] if path is None else _file(path)
    if revision != HEAD:
        said = f"it is at {revision or 'nothing'}, and this version needs {HEAD}"
        return [*found, broken("schema", said, "Run `parley migrate`.")], []
    found.append(well("schema", f"at {HEAD}, as this version needs"))
    engine = open_engine(settings.database_url)
    try:
        await engine.open()
    except StoreUnavailable as problem:
        return [*found, broken("database", str(problem), "See that this user may write there.")], []
    try:
        return await _look(engine, settings, clock, path, found)
    finally:
        await engine.close()


async def _look(
    engine: Engine, settings: Settings, clock: Clock, path: Path | None, found: list[Finding]
) -> tuple[list[Finding], list[str]]:
    """What was found before, and in an open database; and the URLs."""
    try:
        await engine.write(stored.put, _MARK, "{}", clock.now())
        found.append(_written(path))
        theirs = await engine.read(inspect.clock) if path is None else None
        newest = await engine.read(inspect.newest)
        found += [_clock(clock, theirs, newest), await _key(engine, settings)]
        return found, await engine.read(inspect.webhook_urls)
    except StoreUnavailable as problem:
        advice = "See that there is room, and that this user may."
        return [*found, broken("database", f"it cannot be written: {problem}", advice)], []


def _file(path: Path) -> list[Finding]:
    """Where SQLite's file lies, and who may read it."""
    found = [_place(path)]
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        found.append(doubtful("file mode", f"others than its owner may read or write {path}", f"chmod 600 {path}*"))
    return found


def _written(path: Path | None) -> Finding:
    if path is None:
        return well("database", "PostgreSQL answers and can be written")
    if path.with_name(f"{path.name}-wal").exists():
        return well("database", f"{path} can be written, with a write-ahead log")
    advice = "Move it to a file system with shared memory: a local one."
    return broken("database", f"{path} has no write-ahead log", advice)


def _absent(path: Path) -> Finding:
    place = path.parent
    while not place.exists():
        place = place.parent
    if os.access(place, os.W_OK | os.X_OK):
        return doubtful("database", f"{path} is not there yet", "`parley serve` or `parley migrate` makes it.")
    return broken("database", f"{path} is not there, and {place} cannot be written", "Choose another place or user.")


def _place(path: Path) -> Finding:
    """SQLite's locks and shared memory are not to be trusted on a network file system."""
    kind = _file_system(path.resolve())
    if kind in _REMOTE:
        return broken(
            "file system",
            f"{path} is on {kind}, where SQLite loses data",
            "Move it to a local disk, or use PostgreSQL.",
        )
    return well("file system", f"{kind or 'a local one, as far as can be seen'}")


def _file_system(path: Path) -> str | None:
    try:
        mounts = [line.split(" ") for line in _MOUNTS.read_text("utf-8", "replace").splitlines()]
    except OSError:
        return None
    places = {mount[1].replace("\\040", " "): mount[2] for mount in mounts if len(mount) > 2}
    return next((places[str(each)] for each in (path, *path.parents) if str(each) in places), None)


def _clock(clock: Clock, theirs: int | None, newest: bytes | None) -> Finding:
    now = clock.now()
    advice = "Let NTP set this machine's clock."
    if now < _EARLIEST_US:
        return broken("clock", "this machine's clock is years behind", advice)
    if theirs is not None and abs(now - theirs) > _SKEW_US:
        return doubtful("clock", f"{(now - theirs) / 1_000_000:+.1f} s from the database's", advice)
    if newest is not None and ids.made_at(newest) > now + _SKEW_US:
        return doubtful("clock", "the record holds what has not happened yet: the clock was set back", advice)
    return well("clock", "agrees with the database's" if theirs is not None else "not behind the record")


async def _key(engine: Engine, settings: Settings) -> Finding:
    advice = "Set the PARLEY_SECRET_KEY, or put back the key file, that the database was written with."
    path = key_file(settings)
    try:
        found = await engine.read(accounts.everyone, vault_of(settings))
    except VaultError as problem:
        return broken("key", str(problem), advice)
    said = f"opens the secrets of {len(found)} account{'' if len(found) == 1 else 's'}"
    if path is not None and stat.S_IMODE(path.stat().st_mode) & 0o077:
        return broken("key", f"others than its owner can read {path}", f"chmod 600 {path}")
    return well("key", f"{path or 'PARLEY_SECRET_KEY'} {said}")
