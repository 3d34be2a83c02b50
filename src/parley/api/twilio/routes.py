"""Where Twilio's operations are served: the paths of its API of 2010, whose answers are JSON by their suffix."""

from starlette.routing import Route

from parley.api.http.credentials import Credentials
from parley.api.http.endpoint import Endpoint, Handler
from parley.api.twilio import accounts
from parley.api.twilio.feedback import Feedback
from parley.api.twilio.incoming_phone_numbers import IncomingPhoneNumbers
from parley.api.twilio.media import MediaList
from parley.api.twilio.messages import Messages
from parley.api.twilio.problems import explain
from parley.api.twilio.urls import Urls
from parley.core.amend import Amending
from parley.core.numbers import Numbers
from parley.core.send import Sending
from parley.lib.clock import Clock
from parley.store import Engine
from parley.webhooks.guard import Guard

PREFIX = "/2010-04-01"
_ACCOUNT = PREFIX + "/Accounts/{AccountSid}"


def routes(
    *,
    engine: Engine,
    credentials: Credentials,
    sending: Sending,
    amending: Amending,
    numbers: Numbers,
    guard: Guard,
    clock: Clock,
    sells_any_number: bool,
) -> list[Route]:
    """Every operation of the dialect, the busiest first. `sells_any_number` is the dev profile's: any number that
    nobody owns can be bought.
    """
    urls = Urls(guard)
    messages = Messages(engine, sending, amending, urls)
    media = MediaList(engine, amending, clock)
    feedback = Feedback(amending, clock)
    owned = IncomingPhoneNumbers(engine, numbers, urls, sells_any=sells_any_number)

    def route(method: str, path: str, handler: Handler) -> Route:
        return Route(path, Endpoint(handler, credentials, explain), methods=[method])

    return [
        route("POST", f"{_ACCOUNT}/Messages.json", messages.create),
        route("GET", f"{_ACCOUNT}/Messages.json", messages.list),
        route("GET", f"{_ACCOUNT}/Messages/{{Sid}}.json", messages.fetch),
        route("POST", f"{_ACCOUNT}/Messages/{{Sid}}.json", messages.update),
        route("DELETE", f"{_ACCOUNT}/Messages/{{Sid}}.json", messages.delete),
        route("GET", f"{_ACCOUNT}/Messages/{{MessageSid}}/Media.json", media.list),
        route("GET", f"{_ACCOUNT}/Messages/{{MessageSid}}/Media/{{Sid}}.json", media.fetch),
        route("DELETE", f"{_ACCOUNT}/Messages/{{MessageSid}}/Media/{{Sid}}.json", media.delete),
        route("GET", f"{_ACCOUNT}/Messages/{{MessageSid}}/Media/{{Sid}}", media.octets),
        route("POST", f"{_ACCOUNT}/Messages/{{MessageSid}}/Feedback.json", feedback.create),
        route("GET", f"{_ACCOUNT}/IncomingPhoneNumbers.json", owned.list),
        route("POST", f"{_ACCOUNT}/IncomingPhoneNumbers.json", owned.create),
        route("GET", f"{_ACCOUNT}/IncomingPhoneNumbers/{{Sid}}.json", owned.fetch),
        route("POST", f"{_ACCOUNT}/IncomingPhoneNumbers/{{Sid}}.json", owned.update),
        route("DELETE", f"{_ACCOUNT}/IncomingPhoneNumbers/{{Sid}}.json", owned.delete),
        route("GET", f"{PREFIX}/Accounts/{{Sid}}.json", accounts.fetch),
    ]
