"""Where the registry is served: brands, campaigns and toll-free verifications, of the product messaging, v1."""

from starlette.routing import Route

from parley.api.http.credentials import Credentials
from parley.api.http.endpoint import Endpoint, Handler
from parley.api.twilio.messaging.brands import Brands
from parley.api.twilio.messaging.campaign_usecases import CampaignUsecases
from parley.api.twilio.messaging.campaigns import Campaigns
from parley.api.twilio.messaging.tollfree import TollFreeVerifications
from parley.api.twilio.problems import explain
from parley.api.twilio.urls import Urls
from parley.core.numbers import Numbers
from parley.core.registration import Terms
from parley.core.resources import Resources
from parley.core.review import Registry, Reviewing
from parley.lib.clock import Clock
from parley.model.consent import Replies
from parley.model.service import Service
from parley.webhooks.guard import Guard

_BRANDS = "/messaging/v1/a2p/BrandRegistrations"
_VETTINGS = f"{_BRANDS}/{{BrandSid}}/Vettings"
_CAMPAIGNS = "/messaging/v1/Services/{MessagingServiceSid}/Compliance/Usa2p"
_VERIFICATIONS = "/messaging/v1/Tollfree/Verifications"


def routes(
    *,
    credentials: Credentials,
    services: Resources[Service],
    registry: Registry,
    reviewing: Reviewing,
    terms: Terms,
    replies: Replies,
    numbers: Numbers,
    guard: Guard,
    clock: Clock,
) -> list[Route]:
    """Every operation on the registry; its fixed paths come before those of services by SID."""
    urls = Urls(guard)
    brands = Brands(registry, reviewing)
    campaigns = Campaigns(services, registry, reviewing, terms, replies, urls)
    usecases = CampaignUsecases(services, registry.brands)
    verifications = TollFreeVerifications(registry.verifications, reviewing, numbers, urls, clock)

    def route(method: str, path: str, handler: Handler) -> Route:
        return Route(path, Endpoint(handler, credentials, explain), methods=[method])

    return [
        route("GET", _BRANDS, brands.list),
        route("POST", _BRANDS, brands.create),
        route("GET", f"{_BRANDS}/{{Sid}}", brands.fetch),
        route("POST", f"{_BRANDS}/{{Sid}}", brands.update),
        route("GET", _VETTINGS, brands.list_vettings),
        route("POST", _VETTINGS, brands.create_vetting),
        route("GET", f"{_VETTINGS}/{{BrandVettingSid}}", brands.fetch_vetting),
        route("POST", "/messaging/v1/Services/PreregisteredUsa2p", campaigns.create_external),
        route("GET", _CAMPAIGNS, campaigns.list),
        route("POST", _CAMPAIGNS, campaigns.create),
        route("GET", f"{_CAMPAIGNS}/Usecases", usecases.fetch),
        route("GET", f"{_CAMPAIGNS}/{{Sid}}", campaigns.fetch),
        route("POST", f"{_CAMPAIGNS}/{{Sid}}", campaigns.update),
        route("DELETE", f"{_CAMPAIGNS}/{{Sid}}", campaigns.delete),
        route("GET", _VERIFICATIONS, verifications.list),
        route("POST", _VERIFICATIONS, verifications.create),
        route("GET", f"{_VERIFICATIONS}/{{Sid}}", verifications.fetch),
        route("POST", f"{_VERIFICATIONS}/{{Sid}}", verifications.update),
        route("DELETE", f"{_VERIFICATIONS}/{{Sid}}", verifications.delete),
    ]
