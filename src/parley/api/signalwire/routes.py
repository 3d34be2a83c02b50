"""Put SignalWire's operations together: what app.py mounts."""

from typing import Literal

from starlette.routing import Route

from parley.api.http.credentials import Credentials
from parley.api.http.endpoint import Endpoint, Explain, Handler, OpenEndpoint
from parley.api.signalwire.logs import Logs
from parley.api.signalwire.media import PATH, MediaDownload, MediaLinks, MediaShelf
from parley.api.signalwire.messages import Messages
from parley.api.signalwire.problems import explain
from parley.api.signalwire.shapes import LOGS, MESSAGES
from parley.core.amend import Amending
from parley.core.send import Sending
from parley.lib.clock import Clock
from parley.store import Engine
from parley.webhooks.guard import Guard

RELAY_PREFIX = "/api/relay/rest"
"""Whose errors `problems.explain_relay` words."""

Operation = tuple[str, str, Handler]
"""Method, path and handler."""
ONE = "/{id}"
"""What follows a collection's path for one that is in it."""


def collection(
    path: str,
    list_: Handler,
    create: Handler,
    fetch: Handler,
    update: Handler,
    delete: Handler,
    method: Literal["PUT", "PATCH"] = "PUT",
) -> list[Operation]:
    """The five operations on what is kept at a path; `method` is the one that changes it."""
    return [
        ("GET", path, list_),
        ("POST", path, create),
        ("GET", path + ONE, fetch),
        (method, path + ONE, update),
        ("DELETE", path + ONE, delete),
    ]


def mounted(operations: list[Operation], credentials: Credentials, explains: Explain = explain) -> list[Route]:
    """Operations as routes."""
    return [
        Route(path, Endpoint(handler, credentials, explains), methods=[method]) for method, path, handler in operations
    ]


def routes(
    sending: Sending,
    amending: Amending,
    engine: Engine,
    credentials: Credentials,
    guard: Guard,
    links: MediaLinks,
    clock: Clock,
) -> list[Route]:
    """Messages and their logs, and the media links beside them."""
    messages = Messages(sending, amending, engine, MediaShelf(engine, links, clock), guard)
    logs = Logs(amending, engine)
    download = MediaDownload(engine, links, clock)
    operations: list[Operation] = [
        ("POST", MESSAGES, messages.create),
        ("GET", MESSAGES, messages.list),
        ("GET", MESSAGES + ONE, messages.fetch),
        ("PATCH", MESSAGES + ONE, messages.update),
        ("GET", LOGS, logs.list),
        ("GET", LOGS + ONE, logs.fetch),
    ]
    return [
        *mounted(operations, credentials.needing("messaging")),
        Route(PATH + "/{token}", OpenEndpoint(download.octets, credentials.limits, explain, PATH), methods=["GET"]),
    ]
