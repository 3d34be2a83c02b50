"""`parley version`: which Parley this is."""

import platform
from importlib.metadata import version

import click


@click.command("version")
def command() -> None:
    """Print the version."""
    click.echo(f"parley {version('parley')} (Python {platform.python_version()})")
