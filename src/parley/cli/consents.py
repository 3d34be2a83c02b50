"""`parley consents`: who wants nothing more from whom, taken elsewhere and brought in."""

import sys
from typing import BinaryIO, Final

import click

from parley.cli.options import for_server
from parley.cli.server import Server

_TYPES: Final = {"csv": "text/csv", "jsonl": "application/x-ndjson"}


@click.group("consents")
def command() -> None:
    """Export and import opt-outs."""


@command.command("export")
@click.option("--sender", help="Only of this number, or of the messaging service with this SID.")
@click.option("--recipient", help="Only of this recipient.")
@for_server
def export(server: Server, sender: str | None, recipient: str | None) -> None:
    """Print the opt-outs that stand, as CSV that an import takes."""
    query = {name: value for name, value in (("sender", sender), ("recipient", recipient)) if value}
    server.copy("/admin/consents/export", query, sys.stdout.buffer)


@command.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--format", "kind", type=click.Choice(tuple(_TYPES)), help="Of the file; default as its name ends.")
@for_server
def take(server: Server, file: BinaryIO, kind: str | None) -> None:
    """Take in the opt-outs of FILE (- is standard input): CSV with the columns sender and recipient, or JSON lines.

    All of it is taken in, or nothing where a line is wrong.
    """
    kind = kind or ("jsonl" if file.name.endswith((".jsonl", ".ndjson")) else "csv")
    taken = server.post("/admin/consents/import", file.read(), _TYPES[kind])["imported"]
    click.echo(f"{taken} {'opt-out is' if taken == 1 else 'opt-outs are'} taken in")
