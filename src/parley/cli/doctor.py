"""`parley doctor`: look at everything that Parley depends on, and say what to do about what is wrong."""

from typing import TYPE_CHECKING, Final

import click

from parley.cli.configuration import load
from parley.settings import Settings, SettingsError

if TYPE_CHECKING:
    from parley.cli.checkup.finding import Finding

_COLOURS: Final = {"OK": "green", "WARN": "yellow", "FAIL": "red"}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: an array of {check, level, said, advice}.")
@click.option("--audit", "is_audit", is_flag=True, help="Instead, prove from the database that nothing was lost.")
def command(*, as_json: bool, is_audit: bool) -> None:
    """Check the database, port, clock, key, public URL, carrier and callbacks; exit with 1 when something FAILs.

    With --audit, read the whole record, and exit with 1 unless every message that was accepted is accounted for:
    accepted = delivered + undelivered + failed + canceled + read + pending + uncertain, for each account, and every
    state that an app asked to hear of has its callback delivered, pending, or given up with the reason. It only reads,
    and may run beside a server.

    The settings are those of `parley serve`: the environment and the file that PARLEY_CONFIG names.
    """
    import asyncio

    import msgspec

    from parley.cli import logs

    settings = load()
    logs.configure(settings.log_level, settings.log_format)
    if is_audit:
        from parley.cli.checkup.books import examine, lines
        from parley.lib.clock import SystemClock

        books = asyncio.run(examine(settings, SystemClock()))
        for line in [msgspec.json.encode(books).decode()] if as_json else lines(books):
            click.echo(line)
        if not books.is_clean:
            raise SystemExit(1)
        return
    found = asyncio.run(_examine(settings))
    if as_json:
        click.echo(msgspec.json.encode(found))
    else:
        for finding in found:
            level = click.style(f"{finding.level:<4}", fg=_COLOURS[finding.level])
            click.echo(f"{level} {finding.check}: {finding.said}")
            if finding.advice:
                click.echo(f"     {finding.advice}")
    if any(finding.level == "FAIL" for finding in found):
        raise SystemExit(1)


async def _examine(settings: Settings) -> "list[Finding]":
    from parley.app import terms
    from parley.cli.checkup.callbacks import check_callbacks
    from parley.cli.checkup.database import check_database
    from parley.cli.checkup.finding import broken
    from parley.cli.checkup.network import check_port, check_public_url
    from parley.lib.clock import SystemClock

    found, urls = await check_database(settings, SystemClock())
    try:
        terms.check(settings)
    except SettingsError as problem:
        found.append(broken("settings", str(problem), "`parley serve` does not start like this."))
    found += check_port(settings)
    found.append(check_public_url(settings))
    found += await check_callbacks(settings, urls)
    return found
