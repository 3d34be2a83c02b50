"""`python -m bench`: every scenario beside the yardstick, a table, the targets, and bench/results.json.

The server under test has one core and the load, with the callback receiver, another. Parley's run stands between two
of the yardstick's, so that a busy machine slows both: trust the ratios and the CPU, not the rates.
"""

import argparse
import random
import statistics
from collections.abc import Callable
from pathlib import Path

import uvloop
from msgspec.structs import replace

from bench import badhosts, growth, machine, report, servers
from bench.creates import DIALECTS
from bench.measure import Bare, Figures, Scenario, bare, parley, start_seconds
from bench.profiling import Profiler
from bench.stores import POSTGRESQL, SQLITE, Stores

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(SQLITE),
    Scenario(SQLITE, spread=True),
    Scenario(SQLITE, connections=256),
    Scenario(SQLITE, connections=256, spread=True),
    Scenario(SQLITE, callbacks=True),
    Scenario(SQLITE, connections=256, callbacks=True),
    Scenario(SQLITE, dialect="signalwire"),
    Scenario(SQLITE, pool=100),
    Scenario(POSTGRESQL),
    Scenario(POSTGRESQL, spread=True),
    Scenario(POSTGRESQL, connections=256),
    Scenario(POSTGRESQL, connections=256, spread=True),
    Scenario(POSTGRESQL, callbacks=True),
    Scenario(POSTGRESQL, connections=256, callbacks=True),
    Scenario(POSTGRESQL, pool=100),
)
QUICK: tuple[Scenario, ...] = (Scenario(SQLITE), Scenario(SQLITE, callbacks=True), Scenario(POSTGRESQL))
PROFILES = Path(__file__).with_name("profile")


def main() -> None:
    """Run what was asked for."""
    asked = _arguments()
    uvloop.install()
    facts = machine.describe()
    print(f"{facts['cpu']}, {facts['cores']} cores, Python {facts['python']}, load {facts['load_before']:.2f}")
    stores = Stores()
    try:
        stores.look_for_postgresql()
        if asked.growth:
            _grow(stores, asked.only, asked.rows, facts)
            return
        if asked.bad_hosts:
            _bad_hosts(stores, asked.only, asked.messages or 3_000, facts)
            return
        if stores.absent:
            print(f"PostgreSQL is not measured: {stores.absent}")
        else:
            print("PostgreSQL", ", ".join(f"{name} {value}" for name, value in stores.settings.items()))
        everything = QUICK if asked.quick else SCENARIOS
        chosen = tuple(s for s in everything if s.engine == SQLITE or not stores.absent)
        chosen = tuple(s for s in chosen if s.name == asked.only) or tuple(s for s in chosen if asked.only in s.name)
        starts = [] if asked.profile else _starts(stores, chosen, 1 if asked.quick else 3)
        _stand_aside()
        messages = asked.messages or (3_000 if asked.quick else 20_000)
        runs = _runs(chosen, stores, messages, messages // 10, _profiler(asked.functions) if asked.profile else None)
    finally:
        stores.close()
    print(f"\n{report.table(runs)}\n")
    for verdict in report.verdicts(runs, starts):
        print(f"{'met   ' if verdict.is_met else 'MISSED'}  {verdict.target}: {verdict.measured}")
    if asked.quick or asked.profile or asked.only or stores.absent:
        print("bench/results.json is left as it is: this was not the whole bench")
    else:
        report.write(runs, starts, facts, stores.settings)
        print("written to bench/results.json")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer scenarios, fewer messages")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="the scenario of this name, or those that contain it"
    )
    parser.add_argument("--messages", type=int, metavar="N", help="messages a run")
    parser.add_argument(
        "--profile", action="store_true", help="sample the server with py-spy, and print where time goes"
    )
    parser.add_argument("--growth", action="store_true", help="measure a full database against a small one, only")
    parser.add_argument("--bad-hosts", action="store_true", help="measure what bad callback hosts do to others, only")
    parser.add_argument("--rows", type=int, default=10_000_000, metavar="N", help="messages of the full database")
    parser.add_argument("--functions", type=int, default=25, metavar="N", help="functions that a profile lists")
    return parser.parse_args()


def _stand_aside() -> None:
    """Leave the server's core to the server."""
    if not machine.stand_aside():
        print("this machine has no core for the load beside the server's: figures are lower than they should be")


def _grow(stores: Stores, only: str, rows: int, facts: dict[str, str | float]) -> None:
    """Measure growth on each engine, and keep it beside the rest of the results."""
    _stand_aside()
    for engine in (SQLITE, POSTGRESQL):
        if only not in engine or (engine == POSTGRESQL and stores.absent):
            continue
        found = growth.grow(stores, engine, rows)
        print(growth.table(found))
        report.keep(f"growth {engine}", {"machine": facts, **growth.plain(found)})


def _bad_hosts(stores: Stores, only: str, messages: int, facts: dict[str, str | float]) -> None:
    """Measure on each engine with and without bad hosts, and keep it beside the rest of the results."""
    _stand_aside()
    for engine in (SQLITE, POSTGRESQL):
        if only not in engine or (engine == POSTGRESQL and stores.absent):
            continue
        runs = badhosts.measure(stores, engine, messages // 2, messages)
        print(badhosts.table(engine, runs))
        report.keep(f"bad hosts {engine}", {"machine": facts, "runs": runs})


def _starts(stores: Stores, chosen: tuple[Scenario, ...], times: int) -> list[report.Start]:
    starts = []
    for engine in dict.fromkeys(scenario.engine for scenario in chosen):
        start_seconds(stores, engine, 1)  # fills the caches: bytecode, pages
        empty, again = start_seconds(stores, engine, times)
        starts.append(report.Start(engine, empty, again))
        print(f"{engine}: ready {empty:.2f} s after exec on an empty database, {again:.2f} s on one that is there")
    return starts


def _runs(
    chosen: tuple[Scenario, ...],
    stores: Stores,
    messages: int,
    warm_up: int,
    profiler: Callable[[str, int], Profiler] | None,
) -> list[Figures]:
    runs: list[Figures] = []
    with servers.yardstick() as (process, port):

        def yardstick(scenario: Scenario) -> Bare:
            chance = random.Random(messages)
            build = DIALECTS[scenario.dialect]
            requests = [build(chance, None) for _ in range(messages)]
            bare(process, port, scenario.connections, requests[:warm_up])
            return bare(process, port, scenario.connections, requests)

        for scenario in chosen:
            print(f"{scenario.name} ...", flush=True)
            before = yardstick(scenario)
            figures = parley(scenario, stores, messages, warm_up, profiler)
            runs.append(replace(figures, bare=_between(before, yardstick(scenario))))
    return runs


def _between(before: Bare, after: Bare) -> Bare:
    pairs = ((getattr(before, field), getattr(after, field)) for field in Bare.__struct_fields__)
    return Bare(*(statistics.mean(pair) for pair in pairs))


def _profiler(functions: int) -> Callable[[str, int], Profiler]:
    def profile(name: str, pid: int) -> Profiler:
        return Profiler(PROFILES / f"{name.replace(' ', '-')}.raw", pid, functions)

    return profile


if __name__ == "__main__":
    main()
