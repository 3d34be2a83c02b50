"""Settings as commands ask for them: what cannot be is a plain error message, and flags come from the one list."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click

from parley.settings import Settings, SettingsError, describe
from parley.settings import load as load_settings

_SQLITE = "sqlite:///"


def load(flags: Mapping[str, Any] | None = None) -> Settings:
    """The settings of this process. Raises ClickException, which click prints."""
    try:
        return load_settings(flags)
    except SettingsError as problem:
        raise click.ClickException(str(problem)) from None


def with_every_flag(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command one flag per setting. The environment is not click's business: settings.load knows it."""
    for name, meaning, default in reversed(describe()):
        text = f"{meaning} [{f'default: {default}; ' if default else ''}env: PARLEY_{name.upper()}]"
        flag = f"--{name.replace('_', '-')}"
        if default == "False":  # a switch; what may also be unset takes a value
            command = click.option(f"{flag}/--no-{flag[2:]}", name, default=None, help=text)(command)
        else:
            command = click.option(flag, name, metavar="VALUE", help=text)(command)
    return command


def data_directory(settings: Settings) -> Path | None:
    """Where the data of a node on SQLite lives; None on PostgreSQL, which has no place of ours."""
    if not settings.database_url.startswith(_SQLITE):
        return None
    return Path(unquote(settings.database_url.removeprefix(_SQLITE))).parent


def tls_directory(settings: Settings) -> Path:
    """Where the files are with which a node speaks TLS."""
    return data_directory(settings) or Path("var")
