"""Choose the engine by the database's URL."""

from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from parley.lib.redaction import mask_url
from parley.store.engine.engine import Engine

_POSTGRES: Final = ("postgresql", "postgres")
_FORMS: Final = "it has to be sqlite:///relative/path, sqlite:////absolute/path or postgresql://host/name"


class UrlError(ValueError):
    """The URL names no database that Parley can keep its record in; the text says what would."""


def open_engine(url: str) -> Engine:
    """The engine for a database, not opened yet. Raises UrlError."""
    path = sqlite_path(url)
    if path is not None:
        from parley.store.engine.sqlite import SqliteEngine  # noqa: PLC0415  # asyncpg costs start-up time

        return SqliteEngine(path)
    from parley.store.engine.postgres import PostgresEngine  # noqa: PLC0415  # only where it is used

    return PostgresEngine(postgres_url(url))


def sqlite_path(url: str) -> Path | None:
    """The file that a SQLite URL names, or None for a URL of another scheme. Raises UrlError."""
    scheme, colon, rest = url.partition(":")
    if not colon or scheme.lower() != "sqlite":
        return None
    if not rest.startswith("///"):
        raise UrlError(f"{mask_url(url)!r} names no file: {_FORMS}")
    if "?" in rest or "#" in rest:
        raise UrlError(f"{mask_url(url)!r} has parameters, and a SQLite URL has none (%3F and %23 in a name): {_FORMS}")
    path = unquote(rest[3:])
    if path in ("", ":memory:") or path.endswith("/") or "\0" in path:
        raise UrlError(f"{url!r} names no file, and the record is kept in one: {_FORMS}")
    return Path(path)


def postgres_url(url: str) -> str:
    """A PostgreSQL URL in the one spelling that the driver takes. Raises UrlError."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as problem:
        raise UrlError(f"the database URL cannot be read ({problem}): {_FORMS}") from None
    if parts.scheme not in _POSTGRES or not parts.path.strip("/"):
        raise UrlError(f"{mask_url(url)!r} is not a database URL: {_FORMS}")
    return parts._replace(scheme="postgresql").geturl()
