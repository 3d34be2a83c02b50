"""`parley consents`: who wants nothing more from whom, taken elsewhere and brought in."""

import sys
from collections.abc import Iterator
from typing import BinaryIO, Final

import click

from parley.cli.options import for_server
from parley.cli.server import Refusal, Server

_PIECE: Final = 9_999
"""Lines that are sent at once, beside the names of the columns: a server takes 10,000."""
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

    It goes in pieces of some 10,000 lines. Each is taken in whole; where a line of it is wrong, not at all, and what
    follows is not tried. What was taken in may be given again.
    """
    kind = kind or ("jsonl" if file.name.endswith((".jsonl", ".ndjson")) else "csv")
    taken = 0
    for piece in _pieces(file.read(), kind):
        try:
            taken += server.post("/admin/consents/import", piece, _TYPES[kind])["imported"]
        except Refusal as refusal:
            behind = f", in the piece behind the first {taken} opt-outs, which are taken in" if taken else ""
            raise click.ClickException(f"{refusal.message}{behind}") from None
    click.echo(f"{taken} {'opt-out is' if taken == 1 else 'opt-outs are'} taken in")


def _pieces(content: bytes, kind: str) -> Iterator[bytes]:
    """A file in pieces that a server takes at once. Each piece of CSV begins with the names of the columns."""
    lines = content.splitlines(keepends=True)
    names = lines[:1] if kind == "csv" else []
    rows = lines[len(names) :]
    for begin in range(0, max(len(rows), 1), _PIECE):
        yield b"".join([*names, *rows[begin : begin + _PIECE]])
