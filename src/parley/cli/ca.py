"""`parley ca`: a certificate for a server of this machine, an authority for clients to trust, and how each is told."""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from parley.cli.configuration import load, tls_directory

if TYPE_CHECKING:
    from parley.cli.local_tls import LocalTls


@click.command("ca")
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the files are; default where `serve --tls` looks for them: beside the data, or in ./var.",
)
@click.option("--host", "hosts", multiple=True, metavar="NAME", help="A name or address to add; repeatable.")
def command(directory: Path | None, hosts: tuple[str, ...]) -> None:
    """Make ca.pem, server.pem and server-key.pem unless they are there, and say what each client needs to trust them.

    They are for localhost, 127.0.0.1, ::1 and the names of --host. The authority's own key is kept nowhere.
    """
    _show(prepare(directory or tls_directory(load()), hosts))


def prepare(directory: Path, hosts: tuple[str, ...]) -> "LocalTls":
    """The files in a directory, made at need. Raises ClickException."""
    from parley.cli.local_tls import local_tls
    from parley.lib.clock import SystemClock

    try:
        return local_tls(directory, hosts, SystemClock())
    except (OSError, ValueError) as problem:
        raise click.ClickException(f"No certificate in {directory}: {problem}") from None


def _show(files: "LocalTls") -> None:
    """One `name: value` a line, in the manner of `parley proxy`."""
    trusted = quote(str(files.authority))
    lines = {
        "Authority": str(files.authority),
        "Certificate": str(files.certificate),
        "Key": str(files.key),
        "Node": f"NODE_EXTRA_CA_CERTS={trusted}",
        "parley.realtime": f"SSL_CERT_FILE={trusted}",
        "signalwire-sdk": f"SIGNALWIRE_RELAY_CA_FILE={trusted} SIGNALWIRE_REST_CA_FILE={trusted}",
        "signalwire-agents": f"SSL_CERT_FILE={trusted} REQUESTS_CA_BUNDLE={trusted}",
        "signalwire 2": f"SSL_CERT_FILE={trusted}",
        "requests": f"REQUESTS_CA_BUNDLE={trusted}",
        "curl": f"CURL_CA_BUNDLE={trusted}",
        "Go, Ruby, C#": f"SSL_CERT_FILE={trusted}",
    }
    wide = max(len(name) for name in lines) + 1
    for name, value in lines.items():
        click.echo(f"{click.style(f'{name}:'.ljust(wide), fg='cyan')} {value}")
