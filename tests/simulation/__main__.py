"""`python -m tests.simulation --seed N --histories M`: live through histories; a seed repeats the one that fails."""

import argparse
import os
import time
import traceback
from concurrent.futures import ProcessPoolExecutor

import structlog

from tests.simulation.history import live


def main() -> int:
    """Run what was asked for. Returns 0 when every history held."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the first history; the others follow it")
    parser.add_argument("--histories", type=int, default=100, metavar="M")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), metavar="P")
    asked = parser.parse_args()
    started = time.monotonic()
    failed: list[int] = []
    seeds = range(asked.seed, asked.seed + asked.histories)
    with ProcessPoolExecutor(asked.processes, initializer=_quietly) as processes:
        for seed, problem in zip(seeds, processes.map(_lived, seeds, chunksize=10), strict=True):
            if problem is not None:
                failed.append(seed)
                print(problem)
                print(f"FAILED: repeat it by `python -m tests.simulation --seed {seed} --histories 1`", flush=True)
    minutes = (time.monotonic() - started) / 60
    print(f"{asked.histories} histories, {asked.histories / minutes:.0f} a minute; failed: {failed or 'none'}")
    return 1 if failed else 0


def _quietly() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def _lived(seed: int) -> str | None:
    """What went wrong in a history, or None."""
    try:
        live(seed)
    except Exception:  # noqa: BLE001  # whatever it is, the next seed may fail otherwise
        return traceback.format_exc()
    return None


if __name__ == "__main__":
    raise SystemExit(main())
