"""Flags that the commands which talk to a running server share."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from parley.cli.configuration import load
from parley.cli.credentials import find
from parley.cli.server import Server


def for_server(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command --url, --account and --token, and call it with the Server that they lead to."""

    @click.option(
        "--url", help="Where the server is; default what the settings or a dev server's credentials file say."
    )
    @click.option("--account", metavar="SID", help="Account SID; default PARLEY_ACCOUNT_SID or the credentials file.")
    @click.option("--token", help="Auth token; default PARLEY_AUTH_TOKEN or the credentials file.")
    @wraps(command)
    def wrapped(*args: Any, url: str | None, account: str | None, token: str | None, **kwargs: Any) -> None:
        command(Server(find(load(), url, account, token)), *args, **kwargs)

    return wrapped
