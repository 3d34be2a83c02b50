"""What a process cost, and on what machine: read from /proc."""

import contextlib
import os
import platform
import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

TICK_US: Final = 1_000_000 // os.sysconf("SC_CLK_TCK")
SERVER_CORE: Final = 0
LOAD_CORE: Final = 1
_CORES: Final = frozenset(os.sched_getaffinity(0))
"""What this process was given when it began: later it may have kept to some of them itself."""


@contextlib.contextmanager
def on_core(core: int) -> Iterator[None]:
    """Have processes that are started within run on one core only, where the machine has as many."""
    with _on({core} if {SERVER_CORE, LOAD_CORE} <= _CORES else _CORES):
        yield


@contextlib.contextmanager
def on_all_cores() -> Iterator[None]:
    """Have processes that are started within run wherever there is room, though this one keeps to a core."""
    with _on(_CORES):
        yield


def stand_aside() -> bool:
    """Leave the server's core to the server; whether there is another one for the load."""
    if not {SERVER_CORE, LOAD_CORE} <= _CORES:
        return False
    os.sched_setaffinity(0, {LOAD_CORE})
    return True


@contextlib.contextmanager
def _on(cores: Collection[int]) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_us(pid: int) -> int:
    """Return the CPU time of a process, its threads, and its children and theirs, user and system, so far."""
    return _own_cpu_us(pid) + sum(cpu_us(child) for child in _children(pid))


def _own_cpu_us(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    user, system, reaped_user, reaped_system = (int(ticks) for ticks in fields[11:15])
    return (user + system + reaped_user + reaped_system) * TICK_US


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def memory_mb(pid: int) -> tuple[float, float]:
    """Return the resident memory of a process now, and the most that it ever was, in MB (10**6 octets)."""
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    now, most = (int(fields[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "VmHWM"))
    return now, most


def postgres_cpu_us(database: str) -> int | None:
    """Return the CPU time of the backends that serve a database; None where they are not on this machine.

    The walwriter, the checkpointer and their like serve every database, and are left out.
    """
    backends: list[int] = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):
                title = (process / "cmdline").read_bytes()
                if title.startswith(b"postgres: ") and database.encode() in title:
                    backends.append(int(process.name))
    return sum(map(_own_cpu_us, backends)) if backends else None


def describe() -> dict[str, str | float]:
    """Return the facts of this machine that figures depend on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.machine(),
    )
    return {
        "cpu": model,
        "cores": os.cpu_count() or 1,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "load_before": os.getloadavg()[0],
    }
