"""Messaging services: make, list, fetch, change, drop. Source: messaging v1, Service."""

from collections.abc import Collection
from typing import Any, Final

from msgspec.structs import replace

from parley.api.http.decode import Form
from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio import collection, pages
from parley.api.twilio.parameters import boolean, choice, method
from parley.api.twilio.paths import check_nothing_asked, resource_id
from parley.api.twilio.problems import Invalid
from parley.api.twilio.urls import Urls
from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.lib import ids
from parley.model.message import DEFAULT_VALIDITY_S
from parley.model.registry import Campaign
from parley.model.resource import Resource
from parley.model.service import Service

SERVICE: Final = ("MG",)
USECASES: Final = ("notifications", "marketing", "verification", "discussion", "poll", "undeclared")

_URLS: Final = {
    "InboundRequestUrl": "inbound_request_url",
    "FallbackUrl": "fallback_url",
    "StatusCallback": "status_callback",
}
_METHODS: Final = {"InboundMethod": "inbound_method", "FallbackMethod": "fallback_method"}
_SWITCHES: Final = {
    "StickySender": "sticky_sender",
    "MmsConverter": "mms_converter",
    "SmartEncoding": "smart_encoding",
    "FallbackToLongCode": "fallback_to_long_code",
    "AreaCodeGeomatch": "area_code_geomatch",
    "SynchronousValidation": "synchronous_validation",
    "UseInboundWebhookOnNumber": "use_inbound_webhook_on_number",
}
_SCANS: Final = ("inherit", "enable", "disable")
_SETTINGS: Final = frozenset(
    {"FriendlyName", "ScanMessageContent", "Usecase", "ValidityPeriod", *_URLS, *_METHODS, *_SWITCHES}
)
_MOST_NAME: Final = 64
_PARTS: Final = {
    "phone_numbers": "PhoneNumbers",
    "short_codes": "ShortCodes",
    "alpha_senders": "AlphaSenders",
    "destination_alpha_senders": "DestinationAlphaSenders",
    "channel_senders": "ChannelSenders",
    "us_app_to_person": "Compliance/Usa2p",
    "us_app_to_person_usecases": "Compliance/Usa2p/Usecases",
}


class Services:
    """The operations on services themselves. Their senders have their own (pool.py), and so have their campaigns."""

    def __init__(self, services: Resources[Service], campaigns: Resources[Campaign], urls: Urls) -> None:
        self._services = services
        self._campaigns = campaigns
        self._urls = urls

    async def create(self, call: Call) -> Reply:
        """Make a service without senders."""
        form = call.form()
        form.allow(_SETTINGS)
        if not form.one("FriendlyName"):
            raise Fault("invalid_parameter", "A FriendlyName is required", "FriendlyName")
        made = await self._services.add(call.account.id, self._configured(Service(friendly_name=""), form))
        return json_reply(201, _shown(call, made, ()))

    async def list(self, call: Call) -> Reply:
        """A page of the account's services, newest first."""
        form = call.arguments()
        form.allow(pages.PARAMETERS)
        page = pages.page_of(form)
        found = await self._services.page(
            call.account.id, page.limit, page.after, backwards=page.backwards, skip=page.skip
        )
        registered = await self._registered(call)
        return collection.list_reply(
            call,
            "services",
            form,
            page,
            found,
            lambda service: service.id,
            lambda service: _shown(call, service, registered),
        )

    async def fetch(self, call: Call) -> Reply:
        """One service."""
        check_nothing_asked(call)
        service = await self._services.fetch(call.account.id, resource_id(call, SERVICE))
        return json_reply(200, _shown(call, service, await self._registered(call)))

    async def update(self, call: Call) -> Reply:
        """Change what is given of a service's settings."""
        form = call.form()
        form.allow(_SETTINGS)
        service = await self._services.change(
            call.account.id,
            resource_id(call, SERVICE),
            lambda before: replace(before, value=self._configured(before.value, form)),
        )
        return json_reply(200, _shown(call, service, await self._registered(call)))

    async def delete(self, call: Call) -> Reply:
        """Drop a service. Its senders stay the account's."""
        check_nothing_asked(call)
        await self._services.drop(call.account.id, resource_id(call, SERVICE))
        return NO_CONTENT

    def _configured(self, service: Service, form: Form) -> Service:
        given: dict[str, Any] = {}
        for name, field in _URLS.items():
            if (url := form.one(name)) is not None:
                if url and (fault := self._urls.callback_fault(url)):
                    raise Fault("invalid_parameter", f"{name} {fault}", name)
                given[field] = url or None
        for name, field in _METHODS.items():
            if (verb := method(form, name)) is not None:
                given[field] = verb
        for name, field in _SWITCHES.items():
            if (switch := boolean(form, name)) is not None:
                given[field] = switch
        if (scans := choice(form, "ScanMessageContent", _SCANS)) is not None:
            given["scan_message_content"] = scans
        if usecase := form.one("Usecase"):
            if usecase not in USECASES:
                raise Invalid(21713, f"Usecase must be one of {', '.join(USECASES)}", "Usecase")
            given["usecase"] = usecase
        if (friendly_name := _name(form)) is not None:
            given["friendly_name"] = friendly_name
        if period := form.one("ValidityPeriod"):
            is_number = period.isascii() and period.isdigit() and len(period) <= 5
            if not is_number or not 1 <= int(period) <= DEFAULT_VALIDITY_S:
                raise Refused("validity_invalid", period)
            given["validity_period"] = int(period)
        return replace(service, **given)

    async def _registered(self, call: Call) -> Collection[bytes | None]:
        """The services whose campaign is approved."""
        campaigns = await self._campaigns.family(call.account.id)
        return {each.parent_id for each in campaigns if each.value.verdict == "approved"}


def _name(form: Form) -> str | None:
    name = form.one("FriendlyName")
    if name is not None and not name.strip():
        raise Fault("invalid_parameter", "FriendlyName is blank", "FriendlyName")
    if name is not None and len(name) > _MOST_NAME:
        detail = f"FriendlyName may have no more than {_MOST_NAME} characters"
        raise Fault("invalid_parameter", detail, "FriendlyName")
    return name


def _shown(call: Call, service: Resource[Service], registered: Collection[bytes | None]) -> dict[str, Any]:
    value = service.value
    sid = ids.sid("MG", service.id)
    url = collection.url_of(call, f"/v1/Services/{sid}")
    return {
        "sid": sid,
        "account_sid": ids.sid("AC", service.account_id),
        "friendly_name": value.friendly_name,
        "date_created": collection.iso(service.created_at),
        "date_updated": collection.iso(service.updated_at),
        "inbound_request_url": value.inbound_request_url,
        "inbound_method": value.inbound_method,
        "fallback_url": value.fallback_url,
        "fallback_method": value.fallback_method,
        "status_callback": value.status_callback,
        "sticky_sender": value.sticky_sender,
        "mms_converter": value.mms_converter,
        "smart_encoding": value.smart_encoding,
        "scan_message_content": value.scan_message_content,
        "fallback_to_long_code": value.fallback_to_long_code,
        "area_code_geomatch": value.area_code_geomatch,
        "synchronous_validation": value.synchronous_validation,
        "validity_period": value.validity_period,
        "usecase": value.usecase,
        "us_app_to_person_registered": service.id in registered,
        "use_inbound_webhook_on_number": value.use_inbound_webhook_on_number,
        "url": url,
        "links": {name: f"{url}/{path}" for name, path in _PARTS.items()},
    }
