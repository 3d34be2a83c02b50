"""Read the parameters that configure a number, and apply them to it."""

from typing import Any, Final

from msgspec import json
from msgspec.structs import replace

from parley.api.http.decode import Form
from parley.api.http.fault import Fault
from parley.api.twilio import render
from parley.api.twilio.parameters import boolean, choice, method
from parley.api.twilio.problems import Invalid
from parley.api.twilio.urls import Urls
from parley.lib import ids
from parley.model.number import Number

_MOST_NAME: Final = 64
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
_OF_SMS: Final = frozenset({"SmsUrl", "SmsMethod", "SmsFallbackUrl", "SmsFallbackMethod"})


def configured(number: Number, form: Form, urls: Urls) -> Number:
    """A number with what a request says of it. Raises Fault; nothing is stored yet.

    Source: twilio.com/docs/phone-numbers/api/incomingphonenumber-resource. Setting how its messages are handled makes
    it a number of this dialect, with TwiML webhooks.
    """
    _refuse_unsupported(form)
    url, fallback_url = _url(form, "SmsUrl", urls), _url(form, "SmsFallbackUrl", urls)
    status_callback = _url(form, "StatusCallback", urls)
    changed = replace(
        number,
        name=_name(form, number),
        request_url=number.request_url if url is None else url or None,
        request_method=method(form, "SmsMethod") or number.request_method,
        fallback_url=number.fallback_url if fallback_url is None else fallback_url or None,
        fallback_method=method(form, "SmsFallbackMethod") or number.fallback_method,
        status_callback=number.status_callback if status_callback is None else status_callback or None,
        status_callback_method=method(form, "StatusCallbackMethod") or number.status_callback_method,
        extras=_extras(form, number, urls),
    )
    if fallback_url and changed.request_url is None:
        raise Invalid(21406, "SmsFallbackUrl cannot be set without an SmsUrl", "SmsFallbackUrl")
    if not _OF_SMS.isdisjoint(form):
        changed = replace(changed, handler="laml_webhooks", dialect="twilio")
    return changed


def _refuse_unsupported(form: Form) -> None:
    for name in _APPLICATIONS:
        if form.one(name):
            raise Invalid(21420, f"{name} does not name an application of this account", name)
    choice(form, "ApiVersion", (render.VERSION, "2008-08-01"))


def _name(form: Form, number: Number) -> str:
    name = form.one("FriendlyName")
    if name is None:
        return number.name
    if len(name) > _MOST_NAME:
        raise Invalid(20002, f"FriendlyName may have no more than {_MOST_NAME} characters", "FriendlyName")
    return name or render.national(number.address)


def _url(form: Form, name: str, urls: Urls) -> str | None:
    """A URL; empty to unset it, None when not given."""
    url = form.one(name)
    if url and not urls.is_callback(url):
        raise Invalid(21402, f"{name} is not a valid http or https URL", name)
    return url


def _extras(form: Form, number: Number, urls: Urls) -> str | None:
    """What is kept and told again without effect here: settings of voice, emergency calls and regulation."""
    kept: dict[str, Any] = {}
    for name, field in _KEPT_URLS.items():
        if (url := _url(form, name, urls)) is not None:
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
    if (looks_up := boolean(form, "VoiceCallerIdLookup")) is not None:
        kept["voice_caller_id_lookup"] = looks_up
    if not kept:
        return number.extras
    before: dict[str, Any] = json.decode(number.extras) if number.extras else {}
    return json.encode({**before, **kept}).decode()
