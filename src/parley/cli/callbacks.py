"""`parley callbacks`: what apps were told, what was given up and why, and telling them again."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from threading import Event
from typing import Any, Final

import click

from parley.cli.options import for_server
from parley.cli.server import Refusal, Server

_PAGE: Final = 1000
_COLOURS: Final = {"delivered": "green", "gave_up": "red", "pending": "yellow"}
_MESSAGE: Final = re.compile(r"(SM|MM)[0-9a-f]{32}")


@click.group("callbacks")
def command() -> None:
    """List callbacks by how they went, and replay them."""


@command.command("list")
@click.option("--state", type=click.Choice(tuple(_COLOURS)), help="Only those in this state; default all.")
@click.option("--message", metavar="SID", help="Only those of one message.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many at most.")
@for_server
def show(server: Server, state: str | None, message: str | None, limit: int) -> None:
    """Print callbacks, the newest first: id, state, attempts, the status told of, the URL, and how it went."""
    for callback in _listed(server, state, message, limit):
        coloured = click.style(callback["state"], fg=_COLOURS[callback["state"]])
        click.echo(
            f"{callback['callback_id']} {coloured} {callback['attempts']} {callback['status']}"
            f" {callback['url']} {callback['outcome'] or '-'}"
        )


@command.command("replay")
@click.argument("what", nargs=-1, metavar="[ID|SID]...")
@click.option("--gave-up", is_flag=True, help="Replay everything of the account that was given up.")
@for_server
def replay(server: Server, what: tuple[str, ...], *, gave_up: bool) -> None:
    """Owe callbacks again: one by its ID, or all that were given up of the message with a SID."""
    if bool(what) == gave_up:
        raise click.UsageError("Say what to replay: callbacks' ids, messages' SIDs, or --gave-up for everything.")
    count = 0
    for name in what:
        if _MESSAGE.fullmatch(name):
            count += len(server.post_form(f"/admin/messages/{name}/callbacks/replay", {})["callbacks"])
        else:
            _replay(server, name)
            count += 1
    if gave_up:
        # Listed to the end before anything is replayed: what is given up again meanwhile is not replayed for ever. The
        # oldest come first, so that an app is told of a message's states in their order.
        newest_first = [callback["callback_id"] for callback in _listed(server, "gave_up", None, None)]
        for callback_id in reversed(newest_first):
            _replay(server, callback_id)
            count += 1
    click.echo(f"{count} {'callback is' if count == 1 else 'callbacks are'} owed again")


def _replay(server: Server, callback_id: str) -> None:
    if not re.fullmatch(r"[0-9a-fA-F-]{32,36}", callback_id):
        raise click.ClickException(f"{callback_id!r} is neither a callback's id nor a message's SID.")
    while True:
        try:
            server.post_form(f"/admin/callbacks/{callback_id}/replay", {})
        except Refusal as refusal:
            if refusal.status != HTTPStatus.TOO_MANY_REQUESTS or refusal.again_s is None:
                raise
            Event().wait(refusal.again_s)  # one of thousands, and the account has a rate
        else:
            return


def _listed(server: Server, state: str | None, message: str | None, limit: int | None) -> Iterator[dict[str, Any]]:
    query = {name: value for name, value in (("state", state), ("message", message)) if value}
    left = limit
    while left is None or left > 0:
        size = _PAGE if left is None else min(left, _PAGE)
        page = server.get("/admin/callbacks", {**query, "limit": str(size)})
        yield from page["callbacks"]
        if not page["next_page_token"]:
            return
        query["page_token"] = page["next_page_token"]
        left = None if left is None else left - size
