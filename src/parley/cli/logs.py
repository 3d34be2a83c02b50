"""Where log entries go, and as what: JSON lines for machines, coloured text for a person at a terminal.

Everything goes to stderr, through one chain: our own entries, the standard library's loggers and its warnings.
Secrets are masked at the end of that chain, after all text has been made.
"""

import json
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final, Literal, TextIO

import msgspec
import structlog

from parley.lib.redaction import scrub

_QUIET: Final = ("uvicorn.error", "asyncio", "alembic", "aiohttp")
"""They tell of each step at `info`, which is of interest only to who debugs them."""
_FIRST: Final = ("timestamp", "level", "event", "logger")

Format = Literal["auto", "json", "text"]
_Entry = MutableMapping[str, Any]


class _Output:
    """The last link: writes a finished line. Its name is the logger's, so that entries can say where they are from."""

    __slots__ = ("_stream", "name")

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream = stream
        self.name = name

    def msg(self, line: str) -> None:
        """Write one entry, whole: a single write keeps the lines of threads apart."""
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # whoever read stderr is gone; the server has work to do nevertheless
            pass

    debug = info = warning = warn = error = critical = exception = log = msg


class _FromStandardLibrary(logging.Handler):
    """Hands the entries of `logging` to the same chain."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record anew."""
        try:
            said = record.getMessage().rstrip()
        except (TypeError, ValueError):
            said = str(record.msg)
        logger = structlog.get_logger(record.name)
        # Below `critical` levels share their numbers with structlog's; a level between two counts as the lower one.
        logger.log(max(10, min(record.levelno // 10 * 10, 50)), said, exc_info=record.exc_info)


def configure(level: str, log_format: Format, stream: TextIO | None = None) -> None:
    """Send the entries of `level` (`debug`, `info`, `warning`, `error`) and above to `stream`, stderr by default."""
    target = sys.stderr if stream is None else stream
    is_terminal = target.isatty()
    as_json = log_format == "json" or (log_format == "auto" and not is_terminal)
    least = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _add_logger,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            _mask,
            _as_json if as_json else _as_text(colors=is_terminal),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *names: _Output(target, names[0] if names else "parley"),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers = [_FromStandardLibrary()]
    root.setLevel(least)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(least, logging.WARNING) if least > logging.DEBUG else least)
    logging.captureWarnings(capture=True)


def _add_logger(logger: _Output, method: str, entry: _Entry) -> _Entry:
    entry["logger"] = logger.name
    return entry


def _mask(logger: _Output, method: str, entry: _Entry) -> _Entry:
    return scrub(entry)


def _as_text(*, colors: bool) -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=structlog.dev.plain_traceback)


def _as_json(logger: _Output, method: str, entry: _Entry) -> str:
    ordered = {name: entry.pop(name) for name in _FIRST if name in entry} | dict(entry)
    try:
        return msgspec.json.encode(ordered, enc_hook=repr).decode()
    except (OverflowError, TypeError, ValueError):  # lone surrogates, huge integers, odd keys
        return json.dumps(ordered, default=repr, skipkeys=True)
