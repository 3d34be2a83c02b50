"""The port, the server that may be there already, its carrier, and the public URL."""

import json
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import urlsplit

import click

from parley.cli.checkup.finding import Finding, broken, doubtful, well
from parley.cli.configuration import tls_directory
from parley.cli.listen import listen
from parley.cli.server import connection_to
from parley.settings import Settings

_TIMEOUT_S: Final = 6.0
"""Longer than a server waits for its own checks."""


def check_port(settings: Settings) -> list[Finding]:
    """Whether `serve` could listen, or does; and what a server that does says of its carrier."""
    if settings.port == 0:
        return [well("port", "any free one"), _nobody_to_ask()]
    where = f"{settings.host}:{settings.port}"
    try:
        listen(settings.host, settings.port).close()
    except click.ClickException as problem:
        told = _ask(f"{settings.origin}/readyz", str(tls_directory(settings) / "ca.pem"))
        if not isinstance(told, dict) or told.get("status") not in ("ready", "not ready"):
            return [broken("port", problem.message, "Stop what is there, or choose another with PARLEY_PORT.")]
    else:
        return [well("port", f"{where} is free"), _nobody_to_ask()]
    troubles = told.get("troubles") or {}
    carrier = troubles.pop("carrier", None)
    found = [well("port", f"a Parley answers at {where}")]
    if troubles:
        said = "; ".join(f"{name}: {trouble}" for name, trouble in troubles.items())
        found = [broken("port", f"the Parley at {where} is not ready: {said}", "Its log says more.")]
    if carrier is not None:
        return [*found, broken("carrier", str(carrier), "See the carrier's settings and the log.")]
    return [*found, well("carrier", "ready, says the server")]


def check_public_url(settings: Settings) -> Finding:
    """Whether the URL that apps are given leads here."""
    url = settings.public_url
    if url is None:
        if settings.profile == "dev":
            return well("public URL", f"not set: webhooks say {settings.origin}, which this machine can reach")
        return doubtful(
            "public URL", "not set: apps elsewhere cannot fetch the media in webhooks", "Set PARLEY_PUBLIC_URL."
        )
    told = _ask(f"{url.rstrip('/')}/healthz")
    if isinstance(told, dict) and told.get("status") == "ok":
        return well("public URL", f"{url} leads to a Parley")
    problem = told if isinstance(told, str) else "something else answers there"
    return broken("public URL", f"{url}: {problem}", "Start the server, and see the DNS, the proxy and the firewall.")


def _nobody_to_ask() -> Finding:
    return doubtful("carrier", "no server runs there to ask", "Start it with `parley serve`, and look again.")


def _ask(url: str, ca_file: str | None = None) -> dict[str, Any] | str:
    """The JSON at a URL of ours, whatever its status; or what went wrong."""
    try:
        parts = urlsplit(url)
        connection = connection_to(parts, _TIMEOUT_S, ca_file)
        try:
            connection.request("GET", parts.path)
            told = json.loads(connection.getresponse().read(65536))
        finally:
            connection.close()
    except (OSError, HTTPException) as problem:
        return str(problem) or type(problem).__name__
    except ValueError:
        return "something else answers there"
    return told if isinstance(told, dict) else "something else answers there"
