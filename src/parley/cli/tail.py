"""`parley tail`: what happens to messages, as it happens."""

import json
from collections.abc import Iterator
from threading import Event
from typing import Any, Final

import click

from parley.cli.options import for_server
from parley.cli.server import Refusal, Server, Unreachable

_WAIT_S: Final = 25
_AGAIN_S: Final = 0.5
_BUSY: Final = 429
_BROKEN: Final = 500
"""Refusals from here on pass by themselves, as does the one above."""
_COLOURS: Final = {
    "delivered": "green",
    "read": "green",
    "received": "cyan",
    "failed": "red",
    "undelivered": "red",
    "canceled": "red",
    "webhook": "yellow",
    "relay": "yellow",
}


@click.command("tail")
@click.option("--json", "as_json", is_flag=True, help="Print each event as a line of JSON, with all that is in it.")
@click.option(
    "--since",
    type=click.IntRange(0),
    metavar="SEQ",
    help="Begin after this event (`seq` of --json); 0 is the very first. Default: what happens from now on.",
)
@for_server
def command(server: Server, *, as_json: bool, since: int | None) -> None:
    """Print the account's events, one a line, until Ctrl-C. Goes on where it was when the server comes back."""
    try:
        for event in _events(server, since):
            click.echo(json.dumps(event, ensure_ascii=False) if as_json else _line(event))
    except KeyboardInterrupt:
        raise SystemExit(0) from None


def _events(server: Server, since: int | None) -> Iterator[dict[str, Any]]:
    # The first answer has to come: a wrong URL or credential should be said, not waited out.
    position = since if since is not None else int(server.get("/admin/events")["next"])
    is_away = False
    while True:
        try:
            news = server.get("/admin/events", {"after": str(position), "wait": str(_WAIT_S)}, wait_s=_WAIT_S)
        except (Unreachable, Refusal) as problem:
            if isinstance(problem, Refusal) and problem.status < _BROKEN and problem.status != _BUSY:
                raise
            if not is_away:
                click.secho("The server is away; waiting for it.", fg="yellow", err=True)
            is_away = True
            Event().wait(_AGAIN_S)
            continue
        if is_away:
            click.secho("The server is back.", fg="green", err=True)
            is_away = False
        yield from news["events"]
        position = int(news["next"])


def _line(event: dict[str, Any]) -> str:
    """Time, what happened, message, from, to, and what else is told, in columns that a person can read."""
    kind = str(event["kind"])
    data = event.get("data") or {}
    rest = " ".join(f"{name}={_plain(value)}" for name, value in data.items() if value not in (None, "", []))
    columns = [
        click.style(str(event["at"]), dim=True),
        click.style(f"{kind:<12}", fg=_COLOURS.get(kind)),
        str(event["message_id"]),
        f"{event.get('from') or '-'} > {event.get('to') or '-'}",
        rest,
    ]
    return " ".join(column for column in columns if column)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) and " " not in value else json.dumps(value, ensure_ascii=False)
