"""`parley migrate`: bring the database to this version's schema without starting a server."""

import click

from parley.cli.configuration import load


@click.command("migrate")
@click.option("--database-url", help="The database; default PARLEY_DATABASE_URL.")
def command(database_url: str | None) -> None:
    """Bring the database to this version's schema. A server does the same when it starts."""
    settings = load({"database_url": database_url})

    import asyncio

    from parley.cli import logs
    from parley.store import StoreUnavailable
    from parley.store.connect import UrlError
    from parley.store.migrate import SchemaError, migrate

    logs.configure(settings.log_level, settings.log_format)
    try:
        before, after = asyncio.run(migrate(settings.database_url))
    except (UrlError, SchemaError, StoreUnavailable) as problem:
        raise click.ClickException(str(problem)) from None
    if before == after:
        click.echo(f"The schema is at {after} already.")
    else:
        click.echo(f"The schema went from {before or 'nothing'} to {after}.")
