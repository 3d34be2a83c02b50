"""Give a number to an account in the database itself: the operator's way, where the API sells none."""

import asyncio

import click

from parley.cli import logs
from parley.cli.key import vault_of
from parley.core.numbers import Numbers
from parley.core.resources import Resources
from parley.lib import ids
from parley.lib.clock import SystemClock
from parley.model.address import TWILIO_STRICT, InvalidAddress, parse_recipient
from parley.model.application import Application
from parley.model.handler import MessageHandler
from parley.model.number import Number
from parley.settings import Settings
from parley.store import StoreUnavailable, accounts
from parley.store.connect import UrlError, open_engine
from parley.store.migrate import HEAD, current
from parley.store.vault import VaultError


def own(settings: Settings, account_sid: str, text: str) -> str:
    """The number and its SID. Raises ClickException: no number, no such account, or no database of this version."""
    account_id = ids.parse_sid(account_sid, ("AC",))
    if account_id is None:
        raise click.ClickException(f"{account_sid!r} is no account SID: it is `AC` and 32 hex digits.")
    try:
        address = parse_recipient(text, TWILIO_STRICT)
    except InvalidAddress:
        address = None
    if address is None or address.channel != "sms":
        raise click.ClickException(f"{text!r} is no short code and no number in E.164 form, such as +15551234567.")
    logs.configure(settings.log_level, settings.log_format)
    try:
        number = asyncio.run(_own(settings, account_id, address.value))
    except (UrlError, StoreUnavailable, VaultError) as problem:
        raise click.ClickException(str(problem)) from None
    if number.account_id != account_id:
        raise click.ClickException(f"{number.address} belongs to another account.")
    return f"{number.address} {ids.sid('PN', number.id)}"


async def _own(settings: Settings, account_id: bytes, address: str) -> Number:
    if await current(settings.database_url) != HEAD:
        raise click.ClickException("The database has not this version's schema: run `parley migrate` first.")
    engine = open_engine(settings.database_url)
    await engine.open()
    try:
        if await engine.read(accounts.fetch, account_id, vault_of(settings)) is None:
            raise click.ClickException(
                "The database has no account of that SID. The first start of `parley serve` makes that of account_sid."
            )
        clock = SystemClock()
        id_source = ids.Ids(clock)
        applications = Resources(engine, clock, id_source, "application", Application)
        handlers = Resources(engine, clock, id_source, "handler", MessageHandler)
        numbers = Numbers(engine, clock, id_source, applications, handlers, own_on_use=False)
        return await numbers.own(numbers.blank(account_id, address, "twilio"))
    finally:
        await engine.close()
