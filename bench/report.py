"""Report: the figures as a table, held against their targets, and as bench/results.json."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench.measure import Figures
from bench.stores import POSTGRESQL, SQLITE

RESULTS = Path(__file__).with_name("results.json")

LEAST_RATIO = {SQLITE: 0.6, POSTGRESQL: 0.5}
MOST_CPU_US = 180.0
MOST_P99_MS = {64: 20.0, 256: 50.0}
MOST_CALLED_CPU_US = 650.0
LEAST_CALLED_RATE = 1300.0
MOST_SERVICE = 1.3
MOST_RSS_MB = 150.0
MOST_START_S = 1.5
MOST_POSTGRESQL = 1.3

_HEAD = (
    "run", "accepted/s", "lifecycle/s", "bare/s", "ratio", "p50 ms", "p99 ms",
    "CPU us", "bare us", "PG us", "RSS MB", "called/s", "missing", "load",
)  # fmt: skip


class Start(msgspec.Struct, frozen=True):
    """Seconds from `exec` to ready: on an empty database, and on one that is there."""

    engine: str
    empty_s: float
    again_s: float


class Verdict(msgspec.Struct, frozen=True):
    """One target and what was measured."""

    target: str
    measured: float
    is_met: bool


def table(runs: Sequence[Figures]) -> str:
    """Lay the runs out, one a line."""
    rows = [_HEAD, *map(_row, runs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def _row(run: Figures) -> tuple[str, ...]:
    def shown(value: float | None, places: int = 0) -> str:
        return "-" if value is None else f"{value:,.{places}f}"

    bare = run.bare
    return (
        run.name,
        shown(run.accept_rate),
        shown(run.lifecycle_rate),
        shown(bare.rate if bare else None),
        shown(run.ratio, 2),
        shown(run.p50_ms, 1),
        shown(run.p99_ms, 1),
        shown(run.cpu_us),
        shown(bare.cpu_us if bare else None),
        shown(run.postgres_cpu_us),
        shown(run.most_rss_mb),
        shown(run.callback_rate),
        shown(run.callbacks_missing),
        f"{run.load_cpu_share:.0%}",
    )


def verdicts(runs: Sequence[Figures], starts: Sequence[Start]) -> list[Verdict]:
    """Hold the figures against the targets, as far as what they speak of was measured."""
    by_name = {run.name: run for run in runs}
    found: list[Verdict] = []

    def judge(target: str, measured: float, is_met: bool) -> None:
        found.append(Verdict(target, round(measured, 3), is_met))

    for engine, least in LEAST_RATIO.items():
        plain, served = (by_name.get(f"{engine} twilio 64{kind}") for kind in ("", " +service of 100"))
        if plain is not None and plain.ratio is not None:
            judge(f"{engine}: full lifecycle >= {least} x bare", plain.ratio, plain.ratio >= least)
        if plain is not None and served is not None:
            times = served.cpu_us / plain.cpu_us
            judge(f"{engine}: CPU through a service <= {MOST_SERVICE} x a plain send's", times, times <= MOST_SERVICE)
    if (sqlite := by_name.get(f"{SQLITE} twilio 64")) is not None:
        judge(f"{SQLITE}: CPU <= {MOST_CPU_US:.0f} us a message", sqlite.cpu_us, sqlite.cpu_us <= MOST_CPU_US)
        if (postgresql := by_name.get(f"{POSTGRESQL} twilio 64")) is not None:
            times = postgresql.cpu_us / sqlite.cpu_us
            judge(f"{POSTGRESQL}: CPU of our process <= {MOST_POSTGRESQL} x SQLite's", times, times <= MOST_POSTGRESQL)
    for connections, most in MOST_P99_MS.items():
        if (run := by_name.get(f"{SQLITE} twilio {connections}")) is not None:
            judge(f"{run.name}: p99 accept <= {most:.0f} ms", run.p99_ms, run.p99_ms <= most)
    if (run := by_name.get(f"{SQLITE} twilio 64 +callbacks")) is not None and run.callback_rate is not None:
        judge(f"{run.name}: CPU <= {MOST_CALLED_CPU_US:.0f} us", run.cpu_us, run.cpu_us <= MOST_CALLED_CPU_US)
        is_met = run.callback_rate >= LEAST_CALLED_RATE
        judge(f"{run.name}: >= {LEAST_CALLED_RATE:,.0f} messages a second", run.callback_rate, is_met)
    if runs:
        most_mb = max(run.most_rss_mb for run in runs)
        judge(f"RSS <= {MOST_RSS_MB:.0f} MB, every run", most_mb, most_mb <= MOST_RSS_MB)
    for start in starts:
        judge(f"{start.engine}: ready within {MOST_START_S} s", start.empty_s, start.empty_s <= MOST_START_S)
    called = [run.callbacks_missing for run in runs if run.callbacks_missing is not None]
    if called:
        judge("no callback missing", sum(called), sum(called) == 0)
    return found


def write(
    runs: Sequence[Figures],
    starts: Sequence[Start],
    machine: dict[str, Any],
    postgresql: dict[str, str],
    path: Path = RESULTS,
) -> None:
    """Keep the figures, rounded to what they are good for, beside what other measurements keep."""
    results = {
        "measured_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": machine,
        "postgresql": postgresql,
        "starts": starts,
        "runs": [msgspec.to_builtins(run) | {"ratio": run.ratio} for run in runs],
        "targets": verdicts(runs, starts),
    }
    _merge(results, path)


def keep(section: str, figures: Any, path: Path = RESULTS) -> None:
    """Keep the figures of a measurement that the whole bench does not make, in a section of its own."""
    _merge({section: {"measured_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), "figures": figures}}, path)


def _merge(sections: dict[str, Any], path: Path) -> None:
    there = msgspec.json.decode(path.read_bytes()) if path.exists() else {}
    plain = there | _rounded(msgspec.to_builtins(sections))
    path.write_bytes(msgspec.json.format(msgspec.json.encode(plain), indent=2) + b"\n")


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, 3)
        case dict():
            return {key: _rounded(each) for key, each in value.items()}
        case list():
            return [_rounded(each) for each in value]
        case _:
            return value
