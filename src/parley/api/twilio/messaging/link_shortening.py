"""Link shortening: the configuration of domains, and which services' links stand on them. Source: messaging v1,
LinkShortening. Domains themselves are made by Parley's own API, as Twilio makes them in its console.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace
from starlette.routing import Route

from parley.api.http.credentials import Credentials
from parley.api.http.decode import Form
from parley.api.http.endpoint import NO_CONTENT, Call, Endpoint, Handler, Reply, json_reply
from parley.api.twilio import collection, render
from parley.api.twilio.messaging.services import SERVICE
from parley.api.twilio.parameters import boolean
from parley.api.twilio.paths import check_nothing_asked, resource_id
from parley.api.twilio.problems import Invalid, explain
from parley.api.twilio.urls import Urls
from parley.core.links import Visit
from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.lib import ids
from parley.model.link import LinkDomain
from parley.model.resource import Resource
from parley.model.service import Service
from parley.webhooks.guard import Guard

DOMAIN: Final = ("DN",)
_AT: Final = "/v1/LinkShortening"
_SETTINGS: Final = frozenset({"FallbackUrl", "CallbackUrl", "ContinueOnFailure", "DisableHttps"})
_URLS: Final = {"FallbackUrl": ("fallback_url", 30122), "CallbackUrl": ("callback_url", 30109)}
_SWITCHES: Final = {"ContinueOnFailure": "continue_on_failure", "DisableHttps": "disable_https"}

Domain = Resource[LinkDomain]


def routes(
    *, credentials: Credentials, domains: Resources[LinkDomain], services: Resources[Service], guard: Guard
) -> list[Route]:
    """Every operation on link shortening."""
    of = LinkShortening(domains, services, Urls(guard))
    config = f"/messaging{_AT}/Domains/{{DomainSid}}/Config"
    association = f"/messaging{_AT}/Domains/{{DomainSid}}/MessagingServices/{{MessagingServiceSid}}"

    def route(method: str, path: str, handler: Handler) -> Route:
        return Route(path, Endpoint(handler, credentials, explain), methods=[method])

    return [
        route("GET", config, of.fetch_config),
        route("POST", config, of.update_config),
        route("POST", association, of.associate),
        route("DELETE", association, of.dissociate),
        route("GET", f"/messaging{_AT}/MessagingServices/{{MessagingServiceSid}}/Domain", of.fetch_association),
        route("GET", f"/messaging{_AT}/MessagingService/{{MessagingServiceSid}}/DomainConfig", of.fetch_config_of),
    ]


class LinkShortening:
    """The operations on link shortening."""

    def __init__(self, domains: Resources[LinkDomain], services: Resources[Service], urls: Urls) -> None:
        self._domains = domains
        self._services = services
        self._urls = urls

    async def fetch_config(self, call: Call) -> Reply:
        """How a domain's links behave."""
        check_nothing_asked(call)
        return json_reply(200, _config(call, await self._domain(call)))

    async def update_config(self, call: Call) -> Reply:
        """Change what is given of it; an empty URL takes one away."""
        form = call.form()
        form.allow(_SETTINGS)
        domain = await self._domains.change(
            call.account.id,
            resource_id(call, DOMAIN, "DomainSid"),
            lambda before: replace(before, value=self._configured(before.value, form)),
        )
        return json_reply(200, _config(call, domain))

    async def associate(self, call: Call) -> Reply:
        """Have a service's links stand on a domain. Raises Invalid where they stand on another."""
        call.form().allow(frozenset())
        domain = await self._domain(call)

        def associated(service: Resource[Service]) -> Resource[Service]:
            if service.value.link_domain_id not in (None, domain.id):
                raise Invalid(30130, "The Messaging Service is associated with another domain", status=409)
            return replace(service, value=replace(service.value, link_domain_id=domain.id))

        service = await self._services.change(call.account.id, _service_id(call), associated)
        return json_reply(201, _association(call, domain, service))

    async def dissociate(self, call: Call) -> Reply:
        """Have a service's links stand on the server's own domain again. Those that were sent stay where they are."""
        check_nothing_asked(call)
        domain = await self._domain(call)

        def dissociated(service: Resource[Service]) -> Resource[Service]:
            if service.value.link_domain_id != domain.id:
                raise Refused("not_found")
            return replace(service, value=replace(service.value, link_domain_id=None))

        await self._services.change(call.account.id, _service_id(call), dissociated)
        return NO_CONTENT

    async def fetch_association(self, call: Call) -> Reply:
        """Which domain a service's links stand on."""
        check_nothing_asked(call)
        service, domain = await self._associated(call)
        return json_reply(200, _association(call, domain, service))

    async def fetch_config_of(self, call: Call) -> Reply:
        """How a service's links behave."""
        check_nothing_asked(call)
        service, domain = await self._associated(call)
        config = _config(call, domain)
        del config["disable_https"]  # is not told here
        sid = ids.sid("MG", service.id)
        url = collection.url_of(call, f"{_AT}/MessagingService/{sid}/DomainConfig")
        return json_reply(200, config | {"messaging_service_sid": sid, "url": url})

    async def _domain(self, call: Call) -> Domain:
        return await self._domains.fetch(call.account.id, resource_id(call, DOMAIN, "DomainSid"))

    async def _associated(self, call: Call) -> tuple[Resource[Service], Domain]:
        service = await self._services.fetch(call.account.id, _service_id(call))
        if service.value.link_domain_id is None:
            raise Refused("not_found")
        return service, await self._domains.fetch(call.account.id, service.value.link_domain_id)

    def _configured(self, domain: LinkDomain, form: Form) -> LinkDomain:
        given: dict[str, Any] = {}
        for name, (field, code) in _URLS.items():
            if (url := form.one(name)) is not None:
                if url and (fault := self._urls.callback_fault(url)):
                    raise Invalid(code, f"{name} {fault}", name)
                given[field] = url or None
        for name, field in _SWITCHES.items():
            if (switch := boolean(form, name)) is not None:
                given[field] = switch
        return replace(domain, **given)


def clicked(visit: Visit) -> Mapping[str, str]:
    """What a domain's CallbackUrl is told of a click.

    The names are those of Twilio's event of a click (events/event-types/link-shortening); `event_type` and `sms_sid`
    are what its click tracking had before there were events.
    """
    link, message = visit.link, visit.message
    sid = render.message_sid(message)
    return {
        "event_type": "click",
        "account_sid": ids.sid("AC", message.account_id),
        "message_sid": sid,
        "sms_sid": sid,
        "messaging_service_sid": "" if message.service_id is None else ids.sid("MG", message.service_id),
        "to": message.recipient,
        "from": message.sender or "",
        "link": link.url,
        "shortened_link": visit.short_url,
        "link_create_time": collection.iso(link.created_at),
        "click_time": collection.iso(visit.at),
        "user_agent": visit.user_agent,
    }


def _service_id(call: Call) -> bytes:
    return resource_id(call, SERVICE, "MessagingServiceSid")


def _config(call: Call, domain: Domain) -> dict[str, Any]:
    value = domain.value
    sid = ids.sid("DN", domain.id)
    return {
        "domain_sid": sid,
        "config_sid": ids.sid("ZK", domain.id),
        "fallback_url": value.fallback_url,
        "callback_url": value.callback_url,
        "continue_on_failure": value.continue_on_failure,
        "date_created": collection.iso(domain.created_at),
        "date_updated": collection.iso(domain.updated_at),
        "url": collection.url_of(call, f"{_AT}/Domains/{sid}/Config"),
        "disable_https": value.disable_https,
    }


def _association(call: Call, domain: Domain, service: Resource[Service]) -> dict[str, Any]:
    sid = ids.sid("MG", service.id)
    return {
        "domain_sid": ids.sid("DN", domain.id),
        "messaging_service_sid": sid,
        "url": collection.url_of(call, f"{_AT}/MessagingServices/{sid}/Domain"),
    }
