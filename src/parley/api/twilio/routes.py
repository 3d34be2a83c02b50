"""Where messages are served in Twilio's API of 2010, whose answers are JSON by their suffix."""

from starlette.routing import Route

from parley.api.http.credentials import Credentials
from parley.api.twilio.acting import Operations
from parley.api.twilio.feedback import Feedback
from parley.api.twilio.media import MediaList
from parley.api.twilio.messages import Messages
from parley.api.twilio.urls import Urls
from parley.core.accounts import Accounts
from parley.core.amend import Amending
from parley.core.send import Sending
from parley.lib.clock import Clock
from parley.store import Engine
from parley.webhooks.guard import Guard


def routes(
    *,
    engine: Engine,
    credentials: Credentials,
    accounts: Accounts,
    sending: Sending,
    amending: Amending,
    guard: Guard,
    clock: Clock,
) -> list[Route]:
    """Every operation on messages and what belongs to them, the busiest first."""
    messages = Messages(engine, sending, amending, Urls(guard))
    media = MediaList(engine, amending, clock)
    feedback = Feedback(amending, clock)
    route = Operations(accounts, credentials).route
    return [
        route("POST", "/Messages.json", messages.create, for_test=True),
        route("GET", "/Messages.json", messages.list),
        route("GET", "/Messages/{Sid}.json", messages.fetch),
        route("POST", "/Messages/{Sid}.json", messages.update),
        route("DELETE", "/Messages/{Sid}.json", messages.delete),
        route("GET", "/Messages/{MessageSid}/Media.json", media.list),
        route("GET", "/Messages/{MessageSid}/Media/{Sid}.json", media.fetch),
        route("DELETE", "/Messages/{MessageSid}/Media/{Sid}.json", media.delete),
        route("GET", "/Messages/{MessageSid}/Media/{Sid}", media.octets),
        route("POST", "/Messages/{MessageSid}/Feedback.json", feedback.create),
    ]
