"""`parley send`: send one message through a running server."""

from typing import Any, Final

import click

from parley.cli.options import for_server
from parley.cli.server import Server

_FINAL: Final = frozenset({"delivered", "undelivered", "failed", "canceled", "read"})
_WAIT_S: Final = 20
_GOOD: Final = frozenset({"delivered", "read"})


@click.command("send")
@click.argument("to")
@click.argument("body", default="")
@click.option("--from", "sender", metavar="ADDRESS", help="The sender; default the account's first number.")
@click.option("--media", multiple=True, metavar="URL", help="A picture or other file to send along; repeat for more.")
@click.option("--wait", is_flag=True, help="Wait for the final status; exit with 1 unless it is delivered.")
@for_server
def command(server: Server, to: str, body: str, sender: str | None, media: tuple[str, ...], *, wait: bool) -> None:
    """Send BODY to TO, and print the message's SID and status."""
    # Where the feed stands now, so that nothing of this message is before it.
    position = int(server.get("/admin/events")["next"]) if wait else 0
    fields: dict[str, str | list[str]] = {"To": to, "From": sender or _first_number(server)}
    if body:
        fields["Body"] = body
    if media:
        fields["MediaUrl"] = list(media)
    message = server.post_form(f"{server.account}/Messages.json", fields)
    sid = str(message["sid"])
    if wait:
        message = _final(server, sid, position)
    click.echo(f"{sid} {_coloured(str(message['status']))}{_reason(message)}")
    if wait and message["status"] not in _GOOD:
        raise SystemExit(1)


def _first_number(server: Server) -> str:
    listed = list(server.listed("IncomingPhoneNumbers", "incoming_phone_numbers"))
    if not listed:
        raise click.ClickException("The account has no number to send from: name one with --from.")
    return str(listed[-1]["phone_number"])  # the newest come first


def _final(server: Server, sid: str, position: int) -> dict[str, Any]:
    """The message once its status changes no more."""
    while True:
        message = server.get(f"{server.account}/Messages/{sid}.json")
        if message["status"] in _FINAL:
            return message
        news = server.get("/admin/events", {"after": str(position), "wait": str(_WAIT_S)}, wait_s=_WAIT_S)
        position = int(news["next"])


def _coloured(status: str) -> str:
    colour = "green" if status in _GOOD else "red" if status in _FINAL else "yellow"
    return click.style(status, fg=colour)


def _reason(message: dict[str, Any]) -> str:
    if not message.get("error_code"):
        return ""
    return f" ({message['error_code']} {message.get('error_message') or ''})".replace(" )", ")")
