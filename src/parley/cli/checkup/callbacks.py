"""Whether webhooks can reach the apps that they are meant for: as far as opening a connection, and no further."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from yarl import URL

from parley.cli.checkup.finding import Finding, broken, doubtful, well
from parley.settings import Settings
from parley.webhooks.guard import Guard, GuardedResolver, RefusedUrl
from parley.webhooks.lookups import Lookups

_CONNECT_S: Final = 3.0
_MOST: Final = 50
"""Hosts that are tried."""


async def check_callbacks(settings: Settings, urls: Sequence[str]) -> list[Finding]:
    """One finding per host and port."""
    guard = Guard(allow_loopback=settings.profile == "dev", allow_private=settings.private_networks)
    found: list[Finding] = []
    targets: dict[tuple[str, int], URL] = {}
    for url in urls:
        try:
            parsed = guard.check_url(url)
        except RefusedUrl as refused:
            found.append(_refused(_place(url), refused))
        else:
            targets[parsed.raw_host or "", parsed.port or 0] = parsed
    tried = list(targets)[:_MOST]
    resolver = GuardedResolver(guard, Lookups())
    found += await asyncio.gather(*(_reach(resolver, host, port) for host, port in tried))
    if len(targets) > _MOST:
        found.append(doubtful("callbacks", f"only {_MOST} of {len(targets)} hosts were tried", "Look at the others."))
    return list(dict.fromkeys(found)) or [well("callbacks", "none is configured, and none was sent lately")]


async def _reach(resolver: GuardedResolver, host: str, port: int) -> Finding:
    place = f"{host}:{port}"
    try:
        async with asyncio.timeout(_CONNECT_S):
            writer = await _connected([each["host"] for each in await resolver.resolve(host, port)], port)
    except RefusedUrl as refused:
        return _refused(place, refused)
    except TimeoutError:
        return doubtful("callbacks", f"{place} does not answer", "See the firewall, and that the app runs.")
    except OSError as problem:
        return doubtful("callbacks", f"{place}: {problem.strerror or problem}", "See that the app runs there.")
    writer.close()
    return well("callbacks", f"{place} takes connections")


async def _connected(addresses: Sequence[str], port: int) -> asyncio.StreamWriter:
    """A connection to the first address that takes one. Raises OSError when none does."""
    for address in addresses[:-1]:
        with suppress(OSError):
            return (await asyncio.open_connection(address, port))[1]
    return (await asyncio.open_connection(addresses[-1], port))[1]


def _refused(place: str, refused: RefusedUrl) -> Finding:
    return broken(
        "callbacks",
        f"{place} is never called: {refused.reason}",
        "Give a public URL, or set PARLEY_PRIVATE_NETWORKS; the dev profile allows this machine's own, too.",
    )


def _place(url: str) -> str:
    """Host and port of a URL, which may be anything, without what else it says."""
    try:
        parsed = URL(url)
        return f"{parsed.raw_host}:{parsed.port}"
    except (ValueError, IndexError):  # yarl trips over http://[]@/ with the latter
        return "a malformed URL"
