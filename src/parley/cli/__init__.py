"""The operator's commands. Each is a module, imported only when it is called for, so that a command is as quick as
what it does.
"""

import os
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final

import click

_COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "serve": "parley.cli.serve",
        "send": "parley.cli.send",
        "tail": "parley.cli.tail",
        "numbers": "parley.cli.numbers",
        "callbacks": "parley.cli.callbacks",
        "consents": "parley.cli.consents",
        "proxy": "parley.cli.proxy",
        "ca": "parley.cli.ca",
        "migrate": "parley.cli.migrate",
        "doctor": "parley.cli.doctor",
        "version": "parley.cli.version",
    }
)


class Commands(click.Group):
    """Finds a command's module by the command's name; the module calls it `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which a newcomer meets them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        module = _COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = import_module(module).command
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Parley: a self-hosted messaging server that speaks Twilio's and SignalWire's APIs."""
    # What the commands write holds people's messages and secrets: it is for this user only.
    os.umask(0o077)
