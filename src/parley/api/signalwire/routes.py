"""Put SignalWire's operations together: what app.py mounts."""

from starlette.routing import Route

from parley.api.http.credentials import Credentials
from parley.api.http.endpoint import Endpoint
from parley.api.signalwire.logs import Logs
from parley.api.signalwire.media import PATH, MediaDownload, MediaLinks, MediaShelf
from parley.api.signalwire.messages import Messages
from parley.api.signalwire.phone_numbers import PHONE_NUMBERS, PhoneNumbers
from parley.api.signalwire.problems import explain, explain_relay
from parley.api.signalwire.shapes import LOGS, MESSAGES
from parley.core.amend import Amending
from parley.core.numbers import Numbers
from parley.core.send import Sending
from parley.lib.clock import Clock
from parley.store import Engine
from parley.webhooks.guard import Guard

MESSAGING_PREFIX = "/api/messaging"
"""Whose errors `problems.explain` words."""
RELAY_PREFIX = "/api/relay/rest"
"""Whose errors `problems.explain_relay` words."""


def routes(
    sending: Sending,
    amending: Amending,
    numbers: Numbers,
    engine: Engine,
    credentials: Credentials,
    guard: Guard,
    links: MediaLinks,
    clock: Clock,
) -> list[Route]:
    """All of SignalWire's surface, and the media links beside it."""
    messages = Messages(sending, amending, engine, MediaShelf(engine, links, clock), guard)
    logs = Logs(amending, engine)
    phone_numbers = PhoneNumbers(numbers, engine, guard)
    one = "/{id}"
    messaging = [
        ("POST", MESSAGES, messages.create),
        ("GET", MESSAGES, messages.list),
        ("GET", MESSAGES + one, messages.fetch),
        ("PATCH", MESSAGES + one, messages.update),
        ("GET", LOGS, logs.list),
        ("GET", LOGS + one, logs.fetch),
    ]
    relay = [
        ("GET", PHONE_NUMBERS, phone_numbers.list),
        ("GET", PHONE_NUMBERS + one, phone_numbers.fetch),
        ("PUT", PHONE_NUMBERS + one, phone_numbers.update),
    ]
    return [
        *(Route(path, Endpoint(handler, credentials, explain), methods=[m]) for m, path, handler in messaging),
        *(Route(path, Endpoint(handler, credentials, explain_relay), methods=[m]) for m, path, handler in relay),
        Route(PATH + "/{token}", MediaDownload(engine, links, clock), methods=["GET"]),
    ]
