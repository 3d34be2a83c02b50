"""Applications: webhooks under one name. Source: twilio.com/docs/usage/api/applications."""

from typing import Any, Final

from msgspec.structs import replace

from parley.api.http.decode import Form
from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.twilio import pages, render
from parley.api.twilio.parameters import boolean, choice, friendly_name, method
from parley.api.twilio.paths import check_account, check_nothing_asked, resource_id
from parley.api.twilio.problems import Invalid
from parley.api.twilio.urls import Urls
from parley.api.twilio.webhook_settings import url_or
from parley.core.numbers import Numbers
from parley.core.resources import Resources
from parley.model.application import Application
from parley.model.resource import Resource

_APPLICATION: Final = ("AP",)
_FILTERS: Final = pages.PARAMETERS | {"FriendlyName"}
_URLS: Final = {
    "MessageStatusCallback": "message_status_callback",
    "SmsFallbackUrl": "sms_fallback_url",
    "SmsStatusCallback": "sms_status_callback",
    "SmsUrl": "sms_url",
    "StatusCallback": "status_callback",
    "VoiceFallbackUrl": "voice_fallback_url",
    "VoiceUrl": "voice_url",
}
_METHODS: Final = {
    "SmsFallbackMethod": "sms_fallback_method",
    "SmsMethod": "sms_method",
    "StatusCallbackMethod": "status_callback_method",
    "VoiceFallbackMethod": "voice_fallback_method",
    "VoiceMethod": "voice_method",
}
_FLAGS: Final = {
    "PublicApplicationConnectEnabled": "public_application_connect_enabled",
    "VoiceCallerIdLookup": "voice_caller_id_lookup",
}
_PARAMETERS: Final = frozenset({"ApiVersion", "FriendlyName", *_URLS, *_METHODS, *_FLAGS})


class Applications:
    """The operations on applications."""

    def __init__(self, applications: Resources[Application], numbers: Numbers, urls: Urls) -> None:
        self._applications = applications
        self._numbers = numbers
        self._urls = urls

    async def list(self, call: Call) -> Reply:
        """A page of the account's applications, newest first."""
        check_account(call)
        form = call.arguments()
        form.allow(_FILTERS)
        page = pages.page_of(form)
        name = form.one("FriendlyName")
        if name:
            family = reversed(await self._applications.family(call.account.id))
            found = pages.cut(page, [each for each in family if each.value.friendly_name == name], lambda each: each.id)
        else:
            found = await self._applications.page(
                call.account.id, page.limit, page.after, backwards=page.backwards, skip=page.skip
            )
        path = f"{render.account_path(call.account.id)}/Applications.json"
        return pages.page_reply("applications", path, form, page, found, lambda each: each.id, _application)

    async def create(self, call: Call) -> Reply:
        """Make an application."""
        check_account(call)
        form = call.form()
        form.allow(_PARAMETERS)
        made = await self._applications.add(call.account.id, self._configured(Application(""), form))
        return json_reply(201, _application(made))

    async def fetch(self, call: Call) -> Reply:
        """One application."""
        check_account(call)
        check_nothing_asked(call)
        found = await self._applications.fetch(call.account.id, resource_id(call, _APPLICATION))
        return json_reply(200, _application(found))

    async def update(self, call: Call) -> Reply:
        """Configure an application. What is not given stays as it is."""
        check_account(call)
        form = call.form()
        form.allow(_PARAMETERS)
        changed = await self._applications.change(
            call.account.id,
            resource_id(call, _APPLICATION),
            lambda stands: replace(stands, value=self._configured(stands.value, form)),
        )
        return json_reply(200, _application(changed))

    async def delete(self, call: Call) -> Reply:
        """Drop an application. Numbers that named it name none, and call their own webhooks again."""
        check_account(call)
        check_nothing_asked(call)
        await self._numbers.drop_application(call.account.id, resource_id(call, _APPLICATION))
        return NO_CONTENT

    def _configured(self, application: Application, form: Form) -> Application:
        choice(form, "ApiVersion", (render.VERSION, "2008-08-01"))
        changes: dict[str, Any] = {
            field: url_or(form, name, self._urls, getattr(application, field)) for name, field in _URLS.items()
        }
        changes |= {field: verb for name, field in _METHODS.items() if (verb := method(form, name)) is not None}
        changes |= {field: flag for name, field in _FLAGS.items() if (flag := boolean(form, name)) is not None}
        if (name := friendly_name(form)) is not None:
            changes["friendly_name"] = name
        changed = replace(application, **changes)
        if changed.sms_fallback_url and not changed.sms_url:
            raise Invalid(21406, "SmsFallbackUrl cannot be set without an SmsUrl", "SmsFallbackUrl")
        return changed


def _application(found: Resource[Application]) -> dict[str, Any]:
    value = found.value
    kept = {field: getattr(value, field) for field in (*_URLS.values(), *_METHODS.values(), *_FLAGS.values())}
    sid = f"AP{found.id.hex()}"
    return {
        "sid": sid,
        "account_sid": f"AC{found.account_id.hex()}",
        "friendly_name": value.friendly_name,
        **kept,
        "api_version": render.VERSION,
        "date_created": render.date(found.created_at),
        "date_updated": render.date(found.updated_at),
        "uri": f"{render.account_path(found.account_id)}/Applications/{sid}.json",
    }
