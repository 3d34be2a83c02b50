"""Read the parameters that configure a number, and apply them to it."""

from typing import Any, Final

from msgspec import json
from msgspec.structs import replace

from parley.api.http.decode import Form
from parley.api.http.endpoint import Call
from parley.api.http.fault import Fault
from parley.api.twilio import render
from parley.api.twilio.laml import is_asked
from parley.api.twilio.parameters import boolean, choice, friendly_name, method
from parley.api.twilio.problems import Invalid
from parley.api.twilio.urls import Urls
from parley.api.twilio.webhook_settings import given_url, url_or
from parley.core.resources import Resources
from parley.lib import ids
from parley.model.application import Application
from parley.model.laml import marked
from parley.model.number import Number, led_nowhere

_KEPT_URLS: Final = {"VoiceUrl": "voice_url", "VoiceFallbackUrl": "voice_fallback_url"}
_KEPT_METHODS: Final = {"VoiceMethod": "voice_method", "VoiceFallbackMethod": "voice_fallback_method"}
_KEPT_CHOICES: Final = {
    "VoiceReceiveMode": ("voice_receive_mode", ("voice", "fax")),
    "EmergencyStatus": ("emergency_status", ("Active", "Inactive")),
}
_KEPT_SIDS: Final = {
    "AddressSid": ("address_sid", "AD"),
    "BundleSid": ("bundle_sid", "BU"),
    "EmergencyAddressSid": ("emergency_address_sid", "AD"),
    "IdentitySid": ("identity_sid", "RI"),
    "TrunkSid": ("trunk_sid", "TK"),
}
_APPLICATIONS: Final = ("SmsApplicationSid", "VoiceApplicationSid")
PARAMETERS: Final = frozenset(
    {
        "ApiVersion",
        "FriendlyName",
        "SmsFallbackMethod",
        "SmsFallbackUrl",
        "SmsMethod",
        "SmsUrl",
        "StatusCallback",
        "StatusCallbackMethod",
        "VoiceCallerIdLookup",
        *_APPLICATIONS,
        *_KEPT_CHOICES,
        *_KEPT_METHODS,
        *_KEPT_SIDS,
        *_KEPT_URLS,
    }
)
_OF_SMS: Final = frozenset({"SmsUrl", "SmsMethod", "SmsFallbackUrl", "SmsFallbackMethod", "SmsApplicationSid"})


class NumberSettings:
    """Applies what requests say of numbers. URLs pass `urls`; applications are looked for among `applications`."""

    def __init__(self, urls: Urls, applications: Resources[Application]) -> None:
        self._urls = urls
        self._applications = applications

    async def applied(self, call: Call, number: Number, form: Form) -> Number:
        """A number with what a request says of it. Raises Fault; nothing is stored yet.

        Source: twilio.com/docs/phone-numbers/api/incomingphonenumber-resource. Setting how its messages are handled
        makes it a number of this dialect, with TwiML webhooks that tell in the spelling in which that was asked for.
        """
        urls = self._urls
        if not _OF_SMS.isdisjoint(form):
            number = led_nowhere(number)
        choice(form, "ApiVersion", (render.VERSION, "2008-08-01"))
        sms_application = await self._application(number, form, "SmsApplicationSid")
        voice_application = await self._application(number, form, "VoiceApplicationSid")
        changed = replace(
            number,
            name=_name(form, number),
            request_url=url_or(form, "SmsUrl", urls, number.request_url),
            request_method=method(form, "SmsMethod") or number.request_method,
            fallback_url=url_or(form, "SmsFallbackUrl", urls, number.fallback_url),
            fallback_method=method(form, "SmsFallbackMethod") or number.fallback_method,
            status_callback=url_or(form, "StatusCallback", urls, number.status_callback),
            status_callback_method=method(form, "StatusCallbackMethod") or number.status_callback_method,
            extras=_extras(form, number, urls, voice_application),
            application_id=number.application_id if sms_application is None else sms_application or None,
        )
        if form.one("SmsFallbackUrl") and changed.request_url is None:
            raise Invalid(21406, "SmsFallbackUrl cannot be set without an SmsUrl", "SmsFallbackUrl")
        if not _OF_SMS.isdisjoint(form):
            extras = marked(changed.extras, is_so=is_asked(call))
            changed = replace(changed, handler="laml_webhooks", dialect="twilio", extras=extras)
        return changed

    async def _application(self, number: Number, form: Form, name: str) -> bytes | None:
        """The id of the application that is named; empty to unset it, None when not given. Raises Invalid 21420."""
        sid = form.one(name)
        if not sid:
            return None if sid is None else b""
        named = ids.parse_sid(sid, ("AP",)) or ids.parse_uuid(sid)
        if named is None or await self._applications.find(number.account_id, named) is None:
            raise Invalid(21420, f"{name} does not name an application of this account", name)
        return named


def _name(form: Form, number: Number) -> str:
    name = friendly_name(form)
    return number.name if name is None else name or render.national(number.address)


def _extras(form: Form, number: Number, urls: Urls, voice_application: bytes | None) -> str | None:
    """What is kept and told again without effect here: settings of voice, emergency calls and regulation."""
    kept: dict[str, Any] = {}
    for name, field in _KEPT_URLS.items():
        if (url := given_url(form, name, urls)) is not None:
            kept[field] = url
    for name, field in _KEPT_METHODS.items():
        if (verb := method(form, name)) is not None:
            kept[field] = verb
    for name, (field, allowed) in _KEPT_CHOICES.items():
        if (word := choice(form, name, allowed)) is not None:
            kept[field] = word
    for name, (field, prefix) in _KEPT_SIDS.items():
        if (sid := form.one(name)) is not None:
            if sid and ids.parse_sid(sid, (prefix,)) is None:
                raise Fault("invalid_parameter", f"{name} must be {prefix} and 32 hex digits", name)
            kept[field] = sid or None
    if voice_application is not None:
        kept["voice_application_sid"] = ids.sid("AP", voice_application) if voice_application else None
    if (looks_up := boolean(form, "VoiceCallerIdLookup")) is not None:
        kept["voice_caller_id_lookup"] = looks_up
    if not kept:
        return number.extras
    before: dict[str, Any] = json.decode(number.extras) if number.extras else {}
    return json.encode({**before, **kept}).decode()
