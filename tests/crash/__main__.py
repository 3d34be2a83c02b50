"""`python -m tests.crash`: kill a server again and again on each engine, and account for every message."""

import argparse
import asyncio
import random
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec

from tests.crash.cluster import Outcome, suffer
from tests.crash.inspection import Accounting
from tests.crash.rounds import crash
from tests.postgres import (
    NotAvailableError,
    find_server,
    new_shared_directory,
    restart_server,
    start_server,
    stop_server,
)

SQLITE = "sqlite"
POSTGRESQL = "postgresql"
NODES = "nodes"
"""Two nodes on a PostgreSQL of their own, which is restarted too."""


def main() -> int:
    """Run what was asked for. Returns 0 when nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, metavar="N", help="kills of each engine")
    parser.add_argument("--engine", choices=(SQLITE, POSTGRESQL, NODES, "all"), default="all")
    parser.add_argument("--messages", type=int, default=300, metavar="N", help="messages that a round asks for")
    parser.add_argument("--seed", type=int, help="of the moments; by default another one each time")
    asked = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    is_clean = True
    for engine in (SQLITE, POSTGRESQL, NODES) if asked.engine == "all" else (asked.engine,):
        try:
            if engine == NODES:
                print(f"\ntwo nodes on one PostgreSQL, {asked.rounds} rounds")
                is_clean = _two_nodes(asked.rounds) and is_clean
                continue
            with _store(engine) as (url, directory):
                print(f"\n{engine}, {asked.rounds} rounds, seed {seed}")
                found = asyncio.run(crash(url, directory, asked.rounds, seed, _tell, asked.messages))
        except NotAvailableError as problem:
            print(f"\n{engine} was NOT tested: {problem}")
            is_clean = is_clean and asked.engine == "all"
            continue
        is_clean = is_clean and bool(found) and all(each.is_clean for each in found)
    print("\nnothing was lost" if is_clean else "\nFAILED: see the rounds above")
    return 0 if is_clean else 1


def _two_nodes(rounds: int) -> bool:
    shared = new_shared_directory()
    try:
        server = start_server(shared)
        with tempfile.TemporaryDirectory(prefix="parley-crash-") as directory:
            restart = partial(restart_server, shared)
            outcomes = asyncio.run(suffer(server.create("parley"), Path(directory), rounds, restart, _tell_of_nodes))
    finally:
        stop_server(shared)
    return bool(outcomes) and all(outcome.is_clean for outcome in outcomes)


def _tell_of_nodes(n: int, kind: str, outcome: Outcome) -> None:
    _tell(n, kind, outcome.accounting)
    print(
        f"          settled after {outcome.took_s:.1f} s, submitted twice {outcome.submitted_twice},"
        f" left waiting {outcome.left_waiting}, answered 503 {outcome.refused}, not answered {outcome.unanswered}",
        flush=True,
    )


@contextmanager
def _store(engine: str) -> Iterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory(prefix="parley-crash-") as directory:
        if engine == SQLITE:
            yield f"sqlite:///{directory}/parley.db", Path(directory)
            return
        shared = new_shared_directory()
        try:
            server = find_server(shared)
            name = f"parley_crash_{secrets.token_hex(4)}"
            url = server.create(name)
            try:
                yield url, Path(directory)
            finally:
                server.drop(name)
        finally:
            stop_server(shared)


def _tell(n: int, kind: str, found: Accounting) -> None:
    counts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in msgspec.structs.asdict(found).items())
    print(f"{'ok    ' if found.is_clean else 'FAILED'} {n:2d} {kind:18s} so far: {counts}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
