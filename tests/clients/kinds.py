"""The clients, as their makers publish them, with the programs that docs/signalwire.md shows."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import pytest
from msgspec.structs import replace

from tests.clients.world import EXAMPLES, HERE, Kind

T = TypeVar("T")

RELAY: Final = {
    "realtime-api-4": Kind(EXAMPLES / "realtime-api-4" / "answer.js", "NODE_EXTRA_CA_CERTS", "^Refused: .*401"),
    "realtime-api-3": Kind(
        EXAMPLES / "realtime-api-3" / "answer.js", "NODE_EXTRA_CA_CERTS", "Wrong credentials", is_aliased=True
    ),
    "signalwire-sdk-3": Kind(
        EXAMPLES / "signalwire-sdk-3" / "answer.py",
        "SIGNALWIRE_RELAY_CA_FILE",
        "^Refused: .*401",
        requirements="signalwire_sdk/requirements.txt",
        needs_tls=True,
        receipt_s=0.5,
    ),
    "signalwire-2": Kind(
        EXAMPLES / "signalwire-2" / "answer.py",
        "SSL_CERT_FILE",
        "Client setup error: .*401",
        requirements="signalwire_2/requirements.txt",
    ),
    "parley.realtime": Kind(EXAMPLES / "parley.realtime" / "answer.py", "SSL_CERT_FILE", "^Refused: .*401"),
}

REST: Final = {
    "compatibility-api": Kind(
        EXAMPLES / "compatibility-api" / "answer.js", "NODE_EXTRA_CA_CERTS", "^Refused: Authenticate"
    ),
    "signalwire-sdk-3-rest": Kind(
        EXAMPLES / "signalwire-sdk-3" / "send.py",
        "REQUESTS_CA_BUNDLE",
        "^Refused: .*401",
        requirements="signalwire_sdk/requirements.txt",
    ),
    "signalwire-2-rest": Kind(
        EXAMPLES / "signalwire-2" / "send.py",
        "SSL_CERT_FILE",
        "^Refused: .*Authenticate",
        requirements="signalwire_2/requirements.txt",
    ),
}
"""The clients, or parts of them, that speak REST."""

JOINING: Final = {
    "realtime-api-3, joining": replace(RELAY["realtime-api-3"], program=HERE / "late.js"),
    "signalwire-sdk-3, joining": replace(RELAY["signalwire-sdk-3"], program=HERE / "late.py"),
}
"""Those that come back without the contexts which they asked for while connected: the server knows them."""


def at_once(work: Callable[[T], object], given: Iterable[T]) -> None:
    """Do the same for each, all at the same time. Raises what went wrong with any, once all have ended."""
    with ThreadPoolExecutor(16) as pool:
        done = [pool.submit(work, each) for each in given]
    problems = [problem for each in done if (problem := each.exception()) is not None]
    if problems:
        raise BaseExceptionGroup("of clients at the same time", problems)


def at_hand(kinds: dict[str, Kind]) -> tuple[dict[str, Kind], list[str]]:
    """Those that can be had on this machine, and why the others cannot. Each is installed, the first time."""
    reasons: dict[str, str] = {}

    def look(name: str) -> None:
        try:
            kinds[name].words()
        except pytest.skip.Exception as skipped:
            reasons[name] = str(skipped)

    at_once(look, kinds)
    return {name: kind for name, kind in kinds.items() if name not in reasons}, sorted(set(reasons.values()))
