"""`parley serve`: run one node in the foreground until a signal stops it."""

import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import click
import structlog
from msgspec.structs import replace

from parley.cli import banner, ca, credentials, logs
from parley.cli.configuration import data_directory, load, tls_directory, with_every_flag
from parley.cli.listen import is_loopback, listen
from parley.settings import Settings

if TYPE_CHECKING:
    from parley.app import App
    from parley.cli.local_tls import LocalTls
    from parley.model.account import Account

log = structlog.get_logger(__name__)

_KEEP_ALIVE_S: Final = 75
_SWITCH_S: Final = 0.0005
_COLLECT_AFTER: Final = 10_000
_BACKLOG: Final = 2048
_FOR_REQUESTS: Final = 0.3
"""Share of the drain time that requests under way get."""
_FOR_WORK: Final = 0.6
"""Share that dispatch and callbacks get, once the requests have ended. The rest is for closing."""


@click.command("serve")
@with_every_flag
def command(**flags: Any) -> None:
    """Run the server until SIGTERM or SIGINT, which let it finish what is under way; a second one does not."""
    settings = load(flags)
    if settings.profile == "dev" and flags["host"] is None and not is_loopback(settings.host):
        raise click.ClickException(
            f"The dev profile is for this machine alone, and {settings.host} can be reached from others."
            f" Pass --host {settings.host} if that is what you want, or choose --profile strict."
        )
    listener = listen(settings.host, settings.port)
    for_requests_s, for_work_s = settings.drain_s * _FOR_REQUESTS, settings.drain_s * _FOR_WORK
    settings = replace(settings, port=listener.getsockname()[1], drain_s=for_work_s)
    logs.configure(settings.log_level, settings.log_format)
    try:
        files = _tls(settings) if settings.tls else None
        if files is not None and settings.ca_file is None and files.authority.exists():
            settings = replace(settings, ca_file=str(files.authority))
        is_well = _run(settings, files, listener, for_requests_s)
    finally:
        listener.close()
    if not is_well:
        raise SystemExit(1)


def _tls(settings: Settings) -> "LocalTls":
    """The files to speak TLS with, for every name by which the server may be reached. Raises ClickException."""
    told = urlsplit(settings.public_url).hostname if settings.public_url else None
    return ca.prepare(tls_directory(settings), (urlsplit(settings.origin).hostname or "", *([told] if told else [])))


def _run(settings: Settings, files: "LocalTls | None", listener: socket.socket, for_requests_s: float) -> bool:
    """Serve until told to stop. False when the node could not start; the log says why."""
    import uvicorn

    from parley.api.http.protocol import BoundedProtocol
    from parley.api.http.websocket import MAX_FRAME, AbortableWebSocket
    from parley.app import App

    class Server(uvicorn.Server):
        """uvicorn's server under our rules for signals, and with a word once it is ready."""

        def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
            super().__init__(config)
            self._on_ready = on_ready

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                # What start-up made stays: the collector need not look at it again, nor come after every few objects.
                gc.collect()
                gc.freeze()
                gc.set_threshold(_COLLECT_AFTER)
                self._on_ready()

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Handle signals without raising them again at the end: a stop that went well exits with 0."""
            before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            if self.should_exit:
                # Nothing that was accepted is lost: the next start finds it, as after any crash.
                os._exit(128 + sig)
            self.should_exit = True
            if self.started:
                app.quiesce()

    # The store's thread gives up the GIL at each row; waiting the usual 5 ms to get it back is what the slowest accepts
    # waited for.
    sys.setswitchinterval(_SWITCH_S)
    app = App(settings)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=BoundedProtocol,
        ws=AbortableWebSocket,
        ws_max_size=MAX_FRAME,
        ws_per_message_deflate=False,  # some 40 kB of each connection's memory
        ws_ping_interval=None,  # Relay has pings of its own
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=round(for_requests_s),
        ssl_certfile=files.certificate if files else None,
        ssl_keyfile=files.key if files else None,
    )
    # Why the application did not start it has logged itself: one line is what an operator reads.
    logging.getLogger("uvicorn.error").addFilter(lambda record: record.msg != "Application startup failed. Exiting.")
    server = Server(config, lambda: _ready(app, settings, files))
    with contextlib.suppress(SystemExit):  # uvicorn's way to say that the application did not start
        server.run([listener])
    return server.started


def _ready(app: "App", settings: Settings, files: "LocalTls | None") -> None:
    """Tell the person, or the program, that started this where everything is."""
    account = app.first_account
    assert account is not None, "a started node has one"
    mine = credentials.Credentials(
        settings.origin,
        f"AC{account.id.hex()}",
        account.auth_token.reveal(),
        str(files.authority) if files and files.authority.exists() else None,
    )
    left = None
    directory = data_directory(settings)
    if app.is_dev and directory is not None:
        left = credentials.write(directory, mine)
        app.accounts.on_rotated = lambda rotated: _leave_anew(directory, mine, rotated)
    # A token that the operator gave is known already, and stdout may be kept by who knows whom.
    shows_token = app.is_dev or (app.is_first_start and settings.auth_token is None)
    banner.show(mine, settings, public_url=app.public_url, shows_token=shows_token, left=left)


def _leave_anew(directory: Path, mine: credentials.Credentials, rotated: "Account") -> None:
    """Leave the new token of the account whose credentials were left. Another account's is nobody's here."""
    if f"AC{rotated.id.hex()}" != mine.account_sid:
        return
    try:
        credentials.write(directory, replace(mine, auth_token=rotated.auth_token.reveal()))
    except OSError as problem:  # the token is rotated all the same, and whoever asked is told it
        log.warning("the credentials file has the former token", error=str(problem))
