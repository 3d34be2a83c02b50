"""Read the parameters of a new message: what the core is asked to send, or the code of what cannot be had here."""

import hashlib
from typing import Any, Final

from msgspec import DecodeError, json
from msgspec.structs import replace

from parley.api.http.decode import Form
from parley.api.http.endpoint import Call
from parley.api.http.fault import Fault
from parley.api.twilio.parameters import boolean, choice
from parley.api.twilio.problems import Invalid
from parley.api.twilio.scheduling import send_at
from parley.api.twilio.urls import Urls
from parley.core.refusal import Refused
from parley.core.send import Draft
from parley.lib import ids
from parley.model.message import DEFAULT_VALIDITY_S
from parley.model.retention import Part
from parley.store.accept import IdempotencyKey

_PLAIN: Final = frozenset({"To", "From", "Body", "StatusCallback", "MediaUrl"})
"""What nearly every request is made of; all else is looked at only when it is there."""
_OF_SERVICE: Final = _PLAIN | {"MessagingServiceSid"}
PARAMETERS: Final = _PLAIN | {
    "AddressRetention",
    "ApplicationSid",
    "Attempt",
    "ContentRetention",
    "ContentSid",
    "ContentVariables",
    "FallbackFrom",
    "ForceDelivery",
    "MaxPrice",
    "MessageIntent",
    "MessagingServiceSid",
    "PersistentAction",
    "ProvideFeedback",
    "RiskCheck",
    "ScheduleType",
    "SendAsMms",
    "SendAt",
    "ShortenUrls",
    "SmartEncoded",
    "Tags",
    "TrafficType",
    "ValidityPeriod",
}
_RETENTION: Final[dict[str, tuple[str, str, Part, int]]] = {
    "ContentRetention": ("retain", "discard", "content", 30029),
    "AddressRetention": ("retain", "obfuscate", "address", 30030),
}
_INTENTS: Final = (
    "otp",
    "notifications",
    "marketing",
    "fraud",
    "security",
    "customercare",
    "delivery",
    "education",
    "polling",
    "announcements",
    "events",
)
"""Source: the official clients, whose description of the parameter lists them."""
_MOST_KEY: Final = 255
_MOST_ACTIONS: Final = 10
_MOST_ACTION: Final = 1000
_MOST_TAGS: Final = 10
_MOST_TAG: Final = 128


def draft_of(call: Call, urls: Urls) -> Draft:
    """What a request asks to send. Raises Fault and Refused for what only this dialect knows of; the core checks the
    rest. Source: twilio.com/docs/messaging/api/message-resource, creating a message.
    """
    form = call.form()
    form.allow(PARAMETERS)
    status_callback = form.one("StatusCallback")
    if status_callback and (fault := urls.callback_fault(status_callback)):
        raise Refused("status_callback_invalid", fault)
    sender = form.one("From") or ""
    service = _service(sender, form)
    draft = Draft(
        account=call.account,
        dialect="twilio",
        recipient=form.one("To") or "",
        sender="" if sender == service else sender,
        service_id=None if service is None else _service_id(service, form),
        body=form.one("Body") or "",
        media_urls=_media_urls(form, urls) if "MediaUrl" in form else (),
        status_callback=status_callback or None,
        idempotency=_idempotency(call, form),
    )
    return draft if _OF_SERVICE.issuperset(form) else _with_options(draft, form, service)


def _media_urls(form: Form, urls: Urls) -> tuple[str, ...]:
    given = tuple(form.many("MediaUrl"))
    for url in given:
        if fault := urls.fault(url):
            raise Refused("media_url_invalid", fault)
    return given


def _service_id(service: str, form: Form) -> bytes:
    """The id of the service that sends. Raises Invalid: 21619, 21705."""
    if not _has_content(form):
        raise Invalid(21619, "A message of a Messaging Service needs a Body, a MediaUrl or a ContentSid", "Body")
    service_id = ids.parse_sid(service, ("MG",)) or ids.parse_uuid(service)
    if service_id is None:
        raise Invalid(21705, "MessagingServiceSid must be MG and 32 hex digits", "MessagingServiceSid")
    return service_id


def _service(sender: str, form: Form) -> str | None:
    """The service that a request names, by the parameter or in From's place."""
    if "MessagingServiceSid" in form and (service := form.one("MessagingServiceSid")):
        return service
    return sender if sender.startswith("MG") and ids.parse_sid(sender, ("MG",)) is not None else None


def _with_options(draft: Draft, form: Form, service: str | None) -> Draft:
    at = send_at(form, service)
    _refuse_unsupported(form, draft)
    _check_ignored(form)
    extras: dict[str, Any] = {}
    if boolean(form, "ProvideFeedback"):
        extras["provide_feedback"] = True
    if actions := _actions(form):
        extras["persistent_action"] = actions
    if tags := form.one("Tags"):
        extras["tags"] = _tags(tags)
    return replace(
        draft,
        application_id=_application(form),
        as_mms=boolean(form, "SendAsMms") or False,
        smart_encoded=boolean(form, "SmartEncoded"),
        shorten_urls=_shortens(form, service),
        is_forced=boolean(form, "ForceDelivery") or False,
        send_at=at,
        validity_s=_validity(form.one("ValidityPeriod")),
        extras=json.encode(extras).decode() if extras else None,
        forgets=_forgets(form),
    )


def _refuse_unsupported(form: Form, draft: Draft) -> None:
    """Raise Invalid for what would be lost in silence if it were accepted. An empty value asks for nothing."""
    if form.one("ContentSid"):
        raise Invalid(21655, "ContentSid names no template: content templates are not served yet", "ContentSid")
    if form.one("ContentVariables"):
        raise Invalid(21654, "ContentVariables needs a template: none are served yet", "ContentVariables")
    if form.one("FallbackFrom"):
        if draft.service_id is None:
            raise Invalid(21666, "FallbackFrom needs a MessagingServiceSid", "FallbackFrom")
        if draft.sender:
            raise Invalid(21664, "FallbackFrom cannot stand beside a From", "FallbackFrom")
        raise Invalid(21667, "The Messaging Service has no sender on RCS, which is not served", "FallbackFrom")


def _shortens(form: Form, service: str | None) -> bool:
    shortens = boolean(form, "ShortenUrls") or False
    if shortens and not service:
        raise Fault("invalid_parameter", "ShortenUrls needs a MessagingServiceSid", "ShortenUrls")
    return shortens


def _forgets(form: Form) -> tuple[Part, ...]:
    """What of the message is not to be kept. Raises Invalid: 30029, 30030."""
    wanted: list[Part] = []
    for name, (keep, forget, part, code) in _RETENTION.items():
        word = (form.one(name) or keep).lower()
        if word not in (keep, forget):
            raise Invalid(code, f"{name} must be {keep} or {forget}", name)
        if word == forget:
            wanted.append(part)
    return tuple(wanted)


def _has_content(form: Form) -> bool:
    return any(form.one(name) for name in ("Body", "ContentSid")) or "MediaUrl" in form


def _check_ignored(form: Form) -> None:
    """Hold what is accepted without effect to its form, so that a client's mistake shows. Raises Fault."""
    choice(form, "TrafficType", ("free",))
    choice(form, "RiskCheck", ("enable", "disable"))
    choice(form, "MessageIntent", _INTENTS)
    form.one("MaxPrice")  # obsolete: not even its form matters
    attempt = form.one("Attempt")
    if attempt and not _is_whole(attempt):
        raise Fault("invalid_parameter", "Attempt must be a whole number", "Attempt")


def _application(form: Form) -> bytes | None:
    text = form.one("ApplicationSid")
    if not text:
        return None
    application_id = ids.parse_sid(text, ("AP",)) or ids.parse_uuid(text)
    if application_id is None:
        raise Refused("application_unknown", text)
    return application_id


def _validity(text: str | None) -> int | None:
    if not text:
        return None
    if not _is_whole(text) or not 1 <= int(text) <= DEFAULT_VALIDITY_S:
        raise Refused("validity_invalid", text)
    return int(text)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _actions(form: Form) -> list[str]:
    actions = [action for action in form.many("PersistentAction") if action]
    if len(actions) > _MOST_ACTIONS or any(len(action) > _MOST_ACTION for action in actions):
        detail = f"PersistentAction may be given {_MOST_ACTIONS} times, with {_MOST_ACTION} characters at most"
        raise Fault("invalid_parameter", detail, "PersistentAction")
    return actions


def _tags(text: str) -> dict[str, str]:
    try:
        tags = json.decode(text, type=dict[str, str])
    except DecodeError:
        tags = None
    if tags is None or len(tags) > _MOST_TAGS or any(len(word) > _MOST_TAG for pair in tags.items() for word in pair):
        raise Fault("invalid_parameter", "Tags must be a JSON object of at most 10 short texts", "Tags")
    return tags


def _idempotency(call: Call, form: Form) -> IdempotencyKey | None:
    """The client's own key for this request, under either header."""
    key = call.header(b"idempotency-key") or call.header(b"i-twilio-idempotency-token")
    if not key:
        return None
    if len(key) > _MOST_KEY or not key.isascii() or not key.isprintable():
        raise Fault("invalid_parameter", f"An idempotency key is at most {_MOST_KEY} printable ASCII characters")
    given = [(name, form.many(name)) for name in sorted(form)]
    return IdempotencyKey(f"create:{key}", hashlib.blake2b(json.encode(given), digest_size=16).digest())
