"""Whose credentials a command uses, and the file in which a dev server leaves its own for the other commands."""

import json
import os
import tomllib
from pathlib import Path
from typing import Final
from uuid import UUID

import click
import msgspec

from parley.cli.configuration import data_directory, tls_directory
from parley.settings import Settings

FILE: Final = "credentials.toml"


class Credentials(msgspec.Struct, frozen=True):
    """What a client needs to reach one account of a running server."""

    url: str
    account_sid: str
    auth_token: str
    ca_file: str | None = None
    """The authority that signed the server's certificate, where it is one of this machine's own."""

    @property
    def project_id(self) -> str:
        """The account as SignalWire's clients name it."""
        return str(UUID(self.account_sid[2:]))

    def __repr__(self) -> str:
        return f"Credentials(url={self.url!r}, account_sid={self.account_sid!r})"


def write(directory: Path, credentials: Credentials) -> Path:
    """Leave credentials in the data directory, readable by its owner only. Raises OSError."""
    fields = {
        "url": credentials.url,
        "account_sid": credentials.account_sid,
        "project_id": credentials.project_id,
        "auth_token": credentials.auth_token,
    }
    if credentials.ca_file is not None:
        fields["ca_file"] = credentials.ca_file
    text = "".join(f"{name}={_quoted(value)}\n" for name, value in fields.items())
    path = directory / FILE
    draft = path.with_name(f"{FILE}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(
            "# Written by `parley serve` in the dev profile, for the other commands. A shell can read it, too.\n"
        )
        file.write(text)
    draft.replace(path)
    return path


def find(settings: Settings, url: str | None, account: str | None, token: str | None) -> Credentials:
    """The server and the account to use: by flags, then the environment, then the file that a dev server left.

    Raises ClickException when there are none.
    """
    account = account or settings.account_sid
    token = token or settings.auth_token
    if account and token:
        ca_file = str(tls_directory(settings) / "ca.pem") if settings.tls else None
        return Credentials(url or settings.public_url or settings.origin, account, token, ca_file)
    directory = data_directory(settings)
    path = directory / FILE if directory is not None else None
    if path is None or not path.exists():
        where = (
            f"\nA dev server on SQLite leaves its own in {path}, which is not there:"
            " run this where `make serve` was run, or set PARLEY_DATABASE_URL as for the server."
            if path is not None
            else ""
        )
        raise click.ClickException(
            f"No credentials. Set PARLEY_ACCOUNT_SID and PARLEY_AUTH_TOKEN, or pass --account and --token.{where}"
        )
    try:
        found = tomllib.loads(path.read_text("utf-8"))
        left = msgspec.convert(found, Credentials)
    except (OSError, ValueError) as problem:  # TOML's and msgspec's errors are ValueErrors
        raise click.ClickException(f"{path} cannot be used: {problem}") from None
    return Credentials(url or left.url, account or left.account_sid, token or left.auth_token, left.ca_file)


def _quoted(value: str) -> str:
    """A string that means the same to TOML and to a shell, as far as one can be had."""
    is_plain = value.isprintable() and "'" not in value
    return f"'{value}'" if is_plain else json.dumps(value)
