"""The report of `parley doctor --audit`: the books, account by account, and what is wrong with them."""

from collections.abc import Collection, Iterator
from typing import Final

import click

from parley.api.signalwire.callbacks import SignalWireRenderer
from parley.api.signalwire.media import MediaLinks
from parley.api.twilio.callbacks import TwilioRenderer
from parley.lib.clock import Clock
from parley.model.message import Dialect, Status
from parley.settings import Settings
from parley.store import StoreUnavailable
from parley.store.audit import audit
from parley.store.books import Audit, Books
from parley.store.connect import UrlError, open_engine, sqlite_path
from parley.store.migrate import HEAD, current

_CLASSES: Final = ("delivered", "undelivered", "failed", "canceled", "read", "pending", "uncertain")
_SHOWN: Final = 20
"""Messages that the text names for each kind of fault; the JSON names up to a thousand."""


async def examine(settings: Settings, clock: Clock) -> Audit:
    """Audit the database. Raises ClickException when it cannot be read."""
    try:
        path = sqlite_path(settings.database_url)
        if path is not None and not path.exists():
            raise click.ClickException(f"{path} is not there")
        revision = await current(settings.database_url)
        if revision != HEAD:
            raise click.ClickException(f"the schema is at {revision or 'nothing'}; run `parley migrate` to have {HEAD}")
        engine = open_engine(settings.database_url)
        await engine.open()
        try:
            return await engine.read(audit, _states(), clock.now())
        finally:
            await engine.close()
    except (UrlError, StoreUnavailable) as problem:
        raise click.ClickException(str(problem)) from None


def lines(found: Audit) -> Iterator[str]:
    """The report in words."""
    for account_id, books in found.accounts.items():
        yield f"AC{account_id}"
        yield from _said(books)
    if len(found.accounts) != 1:
        yield "in total"
        yield from _said(found.total)
    yield f"{found.refs} carrier references; {found.orphans} receipts that belong to no known message"
    for reason, count in found.given_up.items():
        yield f"callbacks given up: {count} for {reason or 'no reason'}"
    for kind, count in found.faults.items():
        yield click.style(f"FAIL {kind}: {count}", fg="red")
        named = [fault for fault in found.examples if fault.kind == kind]
        yield from (f"     SM{fault.message_id}: {fault.said}" for fault in named[:_SHOWN])
        if count > _SHOWN:
            yield f"     and {count - min(_SHOWN, len(named))} more"
    if found.is_clean:
        yield click.style("OK   the books balance: nothing is lost, and nobody was left untold", fg="green")
    else:
        yield click.style("FAIL the books do not balance, or something is wrong with what is in them", fg="red")


def _said(books: Books) -> Iterator[str]:
    sign = "=" if books.is_balanced else "IS NOT"
    sums = " + ".join(f"{getattr(books, name)} {name}" for name in _CLASSES)
    yield f"  {books.accepted} accepted {sign} {sums}"
    yield f"  ({books.sent} of the pending wait for a receipt; {books.received} were received)"
    sign = "=" if books.has_all_callbacks else "IS NOT"
    ends = ("delivered", "pending", "given_up")
    sums = " + ".join(f"{getattr(books, f'callbacks_{end}')} {end.replace('_', ' ')}" for end in ends)
    yield f"  {books.callbacks} callbacks {sign} {sums}"


def _states() -> dict[Dialect, Collection[Status]]:
    """Which changes of state each dialect's callbacks may tell of; neither needs its URLs for that. Where today's
    settings tell of fewer, so does the record of what happened under them.
    """
    return {"twilio": TwilioRenderer("").states, "signalwire": SignalWireRenderer(MediaLinks(b""), "").states}
