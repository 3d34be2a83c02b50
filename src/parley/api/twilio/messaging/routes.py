"""Where messaging services and their senders are served: the product messaging, v1, and v2 for channels."""

from starlette.routing import Route

from parley.api.http.credentials import Credentials
from parley.api.http.endpoint import Endpoint, Handler, OpenEndpoint
from parley.api.twilio.messaging import deactivations as deactivated
from parley.api.twilio.messaging import members, usecases
from parley.api.twilio.messaging.channel_senders import ChannelSenders
from parley.api.twilio.messaging.deactivations import Deactivations
from parley.api.twilio.messaging.members import AlphaSenders, ChannelMembers, OwnedNumbers
from parley.api.twilio.messaging.pool import Pools
from parley.api.twilio.messaging.services import Services
from parley.api.twilio.problems import explain
from parley.api.twilio.urls import Urls
from parley.core.numbers import Numbers
from parley.core.resources import Resources
from parley.core.review import Reviewing
from parley.model.registry import Campaign
from parley.model.service import PoolSender, Service
from parley.webhooks.guard import Guard

_SERVICES = "/messaging/v1/Services"
_SENDERS = "/messaging/v2/Channels/Senders"


def routes(
    *,
    credentials: Credentials,
    services: Resources[Service],
    pool_senders: Resources[PoolSender],
    campaigns: Resources[Campaign],
    numbers: Numbers,
    guard: Guard,
    reviewing: Reviewing,
    deactivations: Deactivations,
) -> list[Route]:
    """Every operation on services, on who sends for them, on channel senders, and on numbers out of service."""
    urls = Urls(guard)
    pools = Pools(services, pool_senders)
    whole = Services(services, campaigns, urls)
    channel_senders = reviewing.registry.channel_senders
    channels = ChannelSenders(reviewing, pool_senders, numbers, urls)
    lists = (
        OwnedNumbers(pools, members.PHONE_NUMBERS, numbers, "PhoneNumberSid"),
        OwnedNumbers(pools, members.SHORT_CODES, numbers, "ShortCodeSid"),
        AlphaSenders(pools, members.ALPHA_SENDERS),
        AlphaSenders(pools, members.DESTINATION_ALPHA_SENDERS),
        ChannelMembers(pools, members.CHANNEL_SENDERS, channel_senders),
    )

    listed = OpenEndpoint(deactivations.listed, credentials.limits, explain, deactivated.PATH)

    def route(method: str, path: str, handler: Handler) -> Route:
        return Route(path, Endpoint(handler, credentials, explain), methods=[method])

    found = [
        route("GET", _SERVICES, whole.list),
        route("POST", _SERVICES, whole.create),
        route("GET", f"{_SERVICES}/Usecases", usecases.fetch),
        route("GET", f"{_SERVICES}/{{Sid}}", whole.fetch),
        route("POST", f"{_SERVICES}/{{Sid}}", whole.update),
        route("DELETE", f"{_SERVICES}/{{Sid}}", whole.delete),
        route("GET", _SENDERS, channels.list),
        route("POST", _SENDERS, channels.create),
        route("GET", f"{_SENDERS}/{{Sid}}", channels.fetch),
        route("POST", f"{_SENDERS}/{{Sid}}", channels.update),
        route("DELETE", f"{_SENDERS}/{{Sid}}", channels.delete),
        route("GET", deactivated.PATH, deactivations.fetch),
        Route(deactivated.PATH + "/{token}", listed, methods=["GET"]),
    ]
    for each in lists:
        path = f"{_SERVICES}/{{{each.part.service}}}/{each.part.path}"
        found += [
            route("GET", path, each.list),
            route("POST", path, each.create),
            route("GET", f"{path}/{{Sid}}", each.fetch),
            route("DELETE", f"{path}/{{Sid}}", each.delete),
        ]
    return found
