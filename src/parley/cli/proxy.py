"""`parley proxy`: lead Twilio clients that cannot be pointed elsewhere to a server, by their environment alone."""

import asyncio
import signal
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

import click

from parley.cli.configuration import data_directory, load
from parley.cli.credentials import find
from parley.cli.listen import listen
from parley.cli.server import split, trusting
from parley.settings import Settings

if TYPE_CHECKING:
    from socket import socket

    from parley.cli.authority import Authority
    from parley.cli.tunnels import Tunnels

_HOST: Final = "127.0.0.1"
"""Whoever reaches the proxy reaches the server: never more than this machine."""


@click.command("proxy")
@click.option(
    "--port", default=8081, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option("--url", help="Where the server is; default what a dev server's credentials file or the settings say.")
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the authority's files are kept; default beside the data, or ./var.",
)
@click.option("--tunnel-others", "others", is_flag=True, help="Let connections to other hosts pass, untouched.")
def command(port: int, url: str | None, directory: Path | None, *, others: bool) -> None:
    """Take connections to *.twilio.com, and lead them to a server. For this machine only.

    Clients need two things in their environment, which are printed: the proxy's address, and the certificate of an
    authority that is made here, good for nothing but twilio.com.
    """
    from parley.cli.authority import Authority
    from parley.cli.tunnels import DOMAIN, Tunnels
    from parley.lib.clock import SystemClock

    settings = load()
    url, ca_file = _server(settings, url)
    there = split(url)
    tls = trusting(there, ca_file)
    listener = listen(_HOST, port)
    try:
        directory = (directory or data_directory(settings) or Path("var")).resolve()
        try:
            authority = Authority.open(directory, DOMAIN, SystemClock())
        except (OSError, ValueError) as problem:
            raise click.ClickException(f"The authority in {directory} cannot be used: {problem}") from None
        tunnels = Tunnels(authority, there, tls, _refused, others=others)
        asyncio.run(_run(tunnels, listener, authority, url))
    finally:
        listener.close()


async def _run(tunnels: "Tunnels", listener: "socket", authority: "Authority", url: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    listener.listen()
    _show(authority, listener.getsockname()[1], url)
    await tunnels.serve(listener, stop)


def _server(settings: Settings, url: str | None) -> tuple[str, str | None]:
    """The server's URL, and the authority that signed its certificate where that is one of this machine's own."""
    try:
        left = find(settings, url, None, None)
    except click.ClickException:  # a proxy needs no credentials: its clients have them
        return url or settings.origin, None
    return left.url, left.ca_file


def _show(authority: "Authority", port: int, url: str) -> None:
    """Say what each language's client needs, one `name: value` a line."""
    from parley.cli.authority import TRUST_STORE_PASSWORD

    proxy, trusted = f"http://{_HOST}:{port}", quote(str(authority.certificate_file))
    lines = {
        "Proxy": proxy,
        "Leads to": url,
        "Certificate": str(authority.certificate_file),
        "Python": f"HTTPS_PROXY={proxy} REQUESTS_CA_BUNDLE={trusted}",
        "Node": f"HTTP_PROXY={proxy} NODE_EXTRA_CA_CERTS={trusted}",
        "Ruby": f"HTTPS_PROXY={proxy} SSL_CERT_FILE={trusted}",
        "Go": f"HTTPS_PROXY={proxy} SSL_CERT_FILE={trusted}",
        "C#": f"HTTPS_PROXY={proxy} SSL_CERT_FILE={trusted}",
        "PHP": f"HTTPS_PROXY={proxy} php -d curl.cainfo={trusted}",
        "Java": f"java -Dhttps.proxyHost={_HOST} -Dhttps.proxyPort={port} -Djavax.net.ssl.trustStoreType=PKCS12"
        f" -Djavax.net.ssl.trustStore={quote(str(authority.trust_store))}"
        f" -Djavax.net.ssl.trustStorePassword={TRUST_STORE_PASSWORD}",
    }
    wide = max(len(name) for name in lines) + 1
    for name, value in lines.items():
        click.echo(f"{click.style(f'{name}:'.ljust(wide), fg='cyan')} {value}")


def _refused(why: str) -> None:
    click.secho(f"Refused: {why}", fg="yellow", err=True)
