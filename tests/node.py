"""One `parley serve` in a process of its own: started, killed and started again on the same data."""

import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

ACCOUNT_SID: Final = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN: Final = "3a1f4c0d9e8b7a6f5e4d3c2b1a0f9e8d"
READY_WITHIN_S: Final = 30.0
STOPPED_WITHIN_S: Final = 20.0
_POLL_S: Final = 0.005


class NotReadyError(Exception):
    """The server ended, or did not answer /readyz in time; the text has the end of what it said."""


class Node:
    """A server on loopback. `directory` takes its key, its log and whatever it puts into its working directory."""

    def __init__(
        self,
        database_url: str,
        directory: Path,
        *,
        log_level: str = "warning",
        name: str = "node-1",
        secret_key: str | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.database_url = database_url
        self.directory = directory
        self.name = name
        self.log = directory / f"{name}.log"
        self.port = free_port()
        self._log_level = log_level
        self._process: subprocess.Popen[bytes] | None = None
        self._secret_key = secret_key or secrets.token_hex(32)
        self._settings = dict(settings or {})

    def __enter__(self) -> Self:
        self.start()
        self.wait_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """What it ended with, as Popen tells it; None while it runs."""
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        """Start the process, and return at once. It is on the same port, with the same name, every time."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
        environment |= {
            "PARLEY_ACCOUNT_SID": ACCOUNT_SID,
            "PARLEY_AUTH_TOKEN": AUTH_TOKEN,
            "PARLEY_NODE_NAME": self.name,
            "PARLEY_SECRET_KEY": self._secret_key,
        }
        environment |= {f"PARLEY_{name.upper()}": value for name, value in self._settings.items()}
        parley = Path(sys.executable).with_name("parley")
        flags = {
            "--profile": "dev",
            "--port": str(self.port),
            "--database-url": self.database_url,
            "--log-level": self._log_level,
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [parley, "serve", *(word for flag in flags.items() for word in flag)],
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_ready(self, within_s: float = READY_WITHIN_S) -> None:
        """Wait until /readyz answers 200. Raises NotReadyError."""
        until = time.monotonic() + within_s
        while not self.is_ready():
            if not self.is_running:
                raise NotReadyError(f"the server ended: {self.last_words()}")
            if time.monotonic() > until:
                raise NotReadyError(f"not ready within {within_s} s: {self.last_words()}")
            time.sleep(_POLL_S)

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def kill(self) -> None:
        """End it as a power cut would: SIGKILL, no farewell."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to stop, and wait until it has."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(how)
        try:
            process.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def last_words(self, most: int = 4000) -> str:
        """Return the end of its log."""
        return self.log.read_bytes()[-most:].decode("utf-8", "replace") if self.log.exists() else ""


def free_port() -> int:
    """Return a port on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
