"""What `parley serve` says once it is ready: one `name: value` a line, so that programs can read it too."""

import os
from pathlib import Path

import click

from parley.cli.credentials import Credentials
from parley.cli.listen import is_loopback
from parley.settings import Settings


def show(mine: Credentials, settings: Settings, *, public_url: str, shows_token: bool, left: Path | None) -> None:
    """Print it to stdout. `left` is the file in which the credentials were left, if they were."""
    lines = [("Parley", mine.url)]
    if public_url != mine.url:
        lines.append(("Public URL", public_url))
    lines += [
        ("Twilio API", f"{mine.url}/2010-04-01"),
        ("SignalWire API", f"{mine.url}/api"),
        ("Simulator", f"{mine.url}/simulator/phones"),
        ("Health", f"{mine.url}/readyz"),
        ("Account SID", mine.account_sid),
        ("Project ID", mine.project_id),
    ]
    if shows_token:
        lines.append(("Auth token", mine.auth_token))
    if mine.ca_file is not None:
        lines.append(("Authority", mine.ca_file))
    if left is not None:
        lines.append(("Credentials", os.path.relpath(left) if left.is_relative_to(Path.cwd()) else str(left)))
    wide = max(len(name) for name, _ in lines) + 1
    for name, value in lines:
        click.echo(f"{click.style(f'{name}:'.ljust(wide), fg='cyan')} {click.style(value, bold=name == 'Parley')}")
    if settings.profile == "dev" and not is_loopback(settings.host):
        click.secho(
            "Warning: the dev profile is open to the network. Its webhooks may go to services of this machine, and"
            " numbers are owned on first use. Use --profile strict for anything real.",
            fg="yellow",
            err=True,
        )
