"""`parley numbers`: the account's numbers, and what happens to messages that reach them."""

import re
from typing import Any, Final
from uuid import UUID

import click

from parley.cli.configuration import load
from parley.cli.credentials import find
from parley.cli.options import for_server
from parley.cli.server import Refusal, Server

_NOT_FOR_SALE: Final = 21422
_WEBHOOK: Final = {
    "sms_url": "SmsUrl",
    "sms_method": "SmsMethod",
    "fallback_url": "SmsFallbackUrl",
    "status_callback": "StatusCallback",
    "name": "FriendlyName",
}
_METHODS: Final = click.Choice(["GET", "POST"], case_sensitive=False)


@click.group("numbers")
def command() -> None:
    """List, add, configure and remove the account's numbers."""


@command.command("list")
@for_server
def show(server: Server) -> None:
    """Print each number and the URL that hears of its messages."""
    for number in reversed(_listed(server)):  # the newest come first
        url = str(number.get("sms_url") or "")
        click.echo(f"{click.style(number['phone_number'], bold=True)} {number['sid']} {url or '-'}")


@command.command("add")
@click.argument("number")
@click.option(
    "--database",
    is_flag=True,
    help="Write it to the database of the settings: how the operator brings a number of their own to a server of the"
    " strict profile, whose API sells what its search lists and nothing else. The server may be running.",
)
@click.option("--url", help="Where the server is; default what the settings or a dev server's credentials file say.")
@click.option("--account", metavar="SID", help="Account SID; default PARLEY_ACCOUNT_SID or the credentials file.")
@click.option("--token", help="Auth token; default PARLEY_AUTH_TOKEN or the credentials file.")
def add(number: str, url: str | None, account: str | None, token: str | None, *, database: bool) -> None:
    """Give NUMBER, in E.164 form, to the account."""
    settings = load()
    if database:
        from parley.cli.own import own

        sid = account or settings.account_sid or find(settings, url, account, token).account_sid
        click.echo(own(settings, sid, number))
        return
    server = Server(find(settings, url, account, token))
    try:
        added = server.post_form(f"{server.account}/IncomingPhoneNumbers.json", {"PhoneNumber": number})
    except Refusal as refusal:
        if refusal.code == _NOT_FOR_SALE:
            hint = "An operator adds a number of their own with `parley numbers add NUMBER --database`."
            raise click.ClickException(f"{refusal.message}\n{hint}") from None
        raise
    click.echo(f"{added['phone_number']} {added['sid']}")


@command.command("set")
@click.argument("number")
@click.option("--sms-url", metavar="URL", help="Called with Twilio's form for each message that comes in; '' for none.")
@click.option("--sms-method", type=_METHODS, help="How it is called; default POST.")
@click.option("--fallback-url", metavar="URL", help="Called when --sms-url fails; '' for none.")
@click.option("--status-callback", metavar="URL", help="Told what becomes of messages from this number; '' for none.")
@click.option("--json-webhook", metavar="URL", help="Called with SignalWire's JSON for each message that comes in.")
@click.option("--name", help="A name for people.")
@for_server
def change(server: Server, number: str, json_webhook: str | None, **given: str | None) -> None:
    """Configure NUMBER. What is not given stays as it is."""
    fields: dict[str, str | list[str]] = {_WEBHOOK[name]: value for name, value in given.items() if value is not None}
    if json_webhook is not None and not {"SmsUrl", "SmsMethod", "SmsFallbackUrl"}.isdisjoint(fields):
        raise click.UsageError("--json-webhook stands for --sms-url and what belongs to it: give one or the other.")
    if json_webhook is None and not fields:
        raise click.UsageError("Nothing to change: give at least one flag.")
    sid = _sid(server, number)
    if fields:
        server.post_form(f"{server.account}/IncomingPhoneNumbers/{sid}.json", fields)
    if json_webhook is not None:
        server.put_json(
            f"/api/relay/rest/phone_numbers/{UUID(sid[2:])}",
            {
                "message_handler": "json_webhook",
                "message_request_url": json_webhook,
                "message_request_method": "POST",
            },
        )
    click.echo(f"{number} {sid}")


@command.command("remove")
@click.argument("number")
@for_server
def remove(server: Server, number: str) -> None:
    """Give NUMBER up. Its messages stay."""
    sid = _sid(server, number)
    server.delete(f"{server.account}/IncomingPhoneNumbers/{sid}.json")
    click.echo(f"{number} {sid}")


def _listed(server: Server, wanted: str | None = None) -> list[dict[str, Any]]:
    """The account's numbers, the newest first, and behind them its short codes, as numbers too."""
    asked, asked_code = ({}, {}) if wanted is None else ({"PhoneNumber": wanted}, {"ShortCode": wanted})
    numbers = list(server.listed("IncomingPhoneNumbers", "incoming_phone_numbers", asked))
    codes = server.listed("SMS/ShortCodes", "short_codes", asked_code)
    return numbers + [{**code, "phone_number": code["short_code"], "sid": f"PN{code['sid'][2:]}"} for code in codes]


def _sid(server: Server, number: str) -> str:
    """The SID of an owned number, however people write it. Raises ClickException."""
    if re.fullmatch(r"PN[0-9a-f]{32}", number):
        return number
    written = re.sub(r"[\s().-]", "", number)
    for each in _listed(server, number):
        if each["phone_number"] in (written, f"+{written}"):
            return str(each["sid"])
    raise click.ClickException(f"{number} is not a number of this account; `parley numbers list` shows which are.")
