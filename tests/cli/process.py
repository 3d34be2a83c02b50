"""`parley` in processes of its own, as an operator runs it: in a directory, with an environment, by its output."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PARLEY: Final = Path(sys.executable).with_name("parley")
_PATIENCE_S: Final = 60


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without anybody's settings, and with `parley` on the PATH."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    clean["PATH"] = f"{PARLEY.parent}{os.pathsep}{clean.get('PATH', '')}"
    return clean | (dict(extra) if extra else {})


def parley(directory: Path, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [PARLEY, *words],
        cwd=directory,
        env=environment(env),
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )


def well(directory: Path, *words: str, env: Mapping[str, str] | None = None) -> str:
    """Run a command that has to succeed, and return what it printed."""
    done = parley(directory, *words, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


class Serving:
    """A `parley serve` that has said where it is."""

    def __init__(self, directory: Path, *flags: str, env: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        self._log = directory / "serve.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [PARLEY, "serve", *(flags if "--port" in flags else ("--port", "0", *flags))],
                cwd=directory,
                env=environment(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.said: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Where it is."""
        return self.said["Parley"]

    @property
    def auth(self) -> tuple[str, str]:
        """The first account's credentials, where they were said."""
        return self.said["Account SID"], self.said["Auth token"]

    @property
    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text()

    def wait_for(self, last: str) -> "Serving":
        """Read what it says up to the line of that name."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            name, _, value = line.partition(":")
            self.said[name] = value.strip()
            if name == last:
                return self
        raise AssertionError(f"it ended before it said {last!r}: {self.log}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop, and return its exit code."""
        self.process.send_signal(how)
        return self.ended()

    def ended(self) -> int:
        """Wait for its end, and return its exit code."""
        if self.process.stdout is not None:
            self.process.stdout.close()
        return self.process.wait(_PATIENCE_S)


@contextmanager
def serving(
    directory: Path, *flags: str, env: Mapping[str, str] | None = None, last: str = "Credentials"
) -> Iterator[Serving]:
    """A server for the time of a with block, ready from its beginning; `last` is the last line that it says."""
    server = Serving(directory, *flags, env=env)
    try:
        yield server.wait_for(last)
    finally:
        if server.process.poll() is None:
            server.process.kill()
        server.ended()
