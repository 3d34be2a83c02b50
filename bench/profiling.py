"""Profile: sample the server under test with py-spy during a run, and say where the time went."""

import contextlib
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.machine import LOAD_CORE, on_core

SAMPLES_A_SECOND = 400
_FRAME = re.compile(r"^(?P<name>.*) \((?P<file>[^()]*?)(?::(?P<line>\d+))?\)$")

# The first part whose pattern a frame's file matches owns the frame. What is not listed belongs to its caller's part.
PARTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("uvicorn", re.compile(r"(^|/)(uvicorn/)?protocols/http/|parley/api/http/protocol\.py")),
    ("routing", re.compile(r"(^|/)starlette/|parley/api/http/surface\.py")),
    ("endpoint", re.compile(r"parley/(api/|app\.py|webhooks/render\.py)")),
    ("dispatch, simulator", re.compile(r"parley/(core/(dispatch|handoff|phones|carrier|claim)\.py|carriers/)")),
    ("callbacks", re.compile(r"parley/webhooks/|(^|/)(aiohttp|yarl|multidict|aiosignal|async_timeout)/")),
    ("core", re.compile(r"parley/(core|model|lib)/")),
    ("store", re.compile(r"parley/store/|(^|/)(asyncpg|sqlalchemy)/")),
)
LOOP = "event loop"
IDLE = re.compile(r"^_worker \(concurrent/futures/thread\.py")
"""A thread that waits for work; py-spy takes its waiting for work."""


class Profile:
    """Samples by function, and by part of the server."""

    def __init__(self, raw: str) -> None:
        """Take py-spy's raw format: a stack, root first, parted by semicolons, and how often it was seen."""
        self.total = 0
        self.by_function: Counter[str] = Counter()
        self.own: Counter[str] = Counter()
        self.inclusive: Counter[str] = Counter()
        for line in raw.splitlines():
            stack, _, count = line.rpartition(" ")
            if count.isdigit() and stack:
                self._take(stack.split(";"), int(count))

    def _take(self, stack: list[str], count: int) -> None:
        if IDLE.match(stack[-1]):
            return
        self.total += count
        self.by_function[_function(stack[-1])] += count
        parts = [part for part in map(_part, stack) if part is not None]
        self.own[parts[-1] if parts else LOOP] += count
        for part in set(parts) or {LOOP}:
            self.inclusive[part] += count

    def lines(self, most: int) -> list[str]:
        """Say the functions with the most time of their own, then how the time parts among the server's parts."""
        if not self.total:
            return ["no samples"]
        lines = [f"{self.total} samples; functions by their own time:"]
        lines += [f"  {100 * n / self.total:5.1f} %  {name}" for name, n in self.by_function.most_common(most)]
        lines.append("parts: own time (with libraries that they call), and all time beneath them:")
        lines += [
            f"  {100 * n / self.total:5.1f} %  {100 * self.inclusive[part] / self.total:5.1f} %  {part}"
            for part, n in self.own.most_common()
        ]
        return lines


def _function(frame: str) -> str:
    """Name a frame without its line: the last three parts of its path are enough to find it."""
    found = _FRAME.match(frame)
    if found is None:
        return frame
    return f"{found['name']} ({'/'.join(found['file'].split('/')[-3:])})"


def _part(frame: str) -> str | None:
    found = _FRAME.match(frame)
    if found is None:
        return None
    return next((part for part, pattern in PARTS if pattern.search(found["file"])), None)


class Profiler:
    """A context in which py-spy watches a process. Printed at its end, and kept raw for a flame graph."""

    def __init__(self, raw: Path, pid: int, functions: int) -> None:
        self._raw = raw
        self._pid = pid
        self._functions = functions
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._raw.parent.mkdir(parents=True, exist_ok=True)
        spy = Path(sys.executable).with_name("py-spy")
        command = ("record", "--format", "raw", "--rate", str(SAMPLES_A_SECOND), "--duration", "unlimited")
        with on_core(LOAD_CORE):
            self._process = subprocess.Popen(
                [spy, *command, "--output", self._raw, "--pid", str(self._pid)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        assert process is not None
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=60)
        if not self._raw.exists():
            print(f"py-spy left nothing: {complaints.decode()}")
            return
        print(f"\nprofile {self._raw.stem}")
        print("\n".join(Profile(self._raw.read_text("utf-8")).lines(self._functions)))
