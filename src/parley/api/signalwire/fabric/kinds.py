"""Each kind of fabric resource: its parameters, and its shape. Source: SignalWire's fabric pages."""

from abc import ABC, abstractmethod
from typing import Any, Final, Literal, cast

from msgspec import DecodeError, json
from msgspec.structs import replace

from parley.api.signalwire.fields import Fields
from parley.api.signalwire.swml import messaging
from parley.api.signalwire.swml.fault import Faulty
from parley.lib.ids import to_uuid
from parley.model.handler import HandlerKind, MessageHandler
from parley.model.resource import Resource
from parley.webhooks.guard import Guard

RESOURCES: Final = "/api/fabric/resources"
_USES: Final = ("calling", "messaging")
_MOST_NAME: Final = 255
_MOST_CONTENTS: Final = 256 * 1024
"""Characters of a script; one for messages is held to SWML's limit as well."""


class Kind(ABC):
    """One kind. `created` answers a new one; `method` changes one, by the parameters `changes`."""

    name: HandlerKind
    path: str
    created: int
    method: Literal["PUT", "PATCH"]
    parameters: frozenset[str]
    changes: frozenset[str]

    def __init__(self, guard: Guard) -> None:
        self.guard = guard

    @abstractmethod
    def read(self, fields: Fields, before: MessageHandler | None) -> MessageHandler:
        """What is asked for; `before` is the resource that is changed, None for a new one."""

    @abstractmethod
    def body(self, resource: Resource[MessageHandler]) -> dict[str, Any]:
        """What only this kind has."""

    def _name(self, fields: Fields, name: str, before: MessageHandler | None, *, is_required: bool) -> str:
        given = fields.text(name, is_required=is_required and before is None, most=_MOST_NAME)
        return given or ("" if before is None else before.name)

    def _url(self, fields: Fields, name: str, before: str | None) -> str | None:
        """A URL that can be taken away; what it was when nothing is said of it."""
        given = fields.url(name, self.guard)
        return given if name in fields else before


class Webhook(Kind):
    """A webhook: of SWML, or of cXML."""

    method = "PATCH"
    created = 201
    parameters = frozenset(
        {
            "name",
            "used_for",
            "primary_request_url",
            "primary_request_method",
            "fallback_request_url",
            "fallback_request_method",
            "status_callback_url",
            "status_callback_method",
        }
    )
    changes = parameters

    def __init__(self, guard: Guard, name: HandlerKind) -> None:
        super().__init__(guard)
        self.name = name
        self.path = f"{RESOURCES}/{name}s"

    def read(self, fields: Fields, before: MessageHandler | None) -> MessageHandler:
        """A webhook for messages needs a URL; so does one for calls, which is never called."""
        stands = before or MessageHandler(self.name, self.name.replace("_", " "))
        url = fields.url("primary_request_url", self.guard, is_required=before is None)
        return replace(
            stands,
            name=self._name(fields, "name", before, is_required=False) or stands.name,
            used_for=_use(fields, "used_for", stands),
            request_url=url or stands.request_url,
            request_method=fields.method("primary_request_method") or stands.request_method,
            fallback_url=self._url(fields, "fallback_request_url", stands.fallback_url),
            fallback_method=fields.method("fallback_request_method") or stands.fallback_method,
            status_callback=self._url(fields, "status_callback_url", stands.status_callback),
            status_callback_method=fields.method("status_callback_method") or stands.status_callback_method,
        )

    def body(self, resource: Resource[MessageHandler]) -> dict[str, Any]:
        """Its URLs."""
        value = resource.value
        return {
            "id": to_uuid(resource.id),
            "name": value.name,
            "used_for": value.used_for,
            "primary_request_url": value.request_url,
            "primary_request_method": value.request_method,
            "fallback_request_url": value.fallback_url,
            "fallback_request_method": value.fallback_method,
            "status_callback_url": value.status_callback,
            "status_callback_method": value.status_callback_method,
        }


class SwmlScript(Kind):
    """A document that is kept here."""

    name = "swml_script"
    path = f"{RESOURCES}/swml_scripts"
    created = 200
    method = "PUT"
    parameters = frozenset({"name", "script_type", "contents", "status_callback_url"})
    changes = frozenset({"display_name", "script_type", "contents", "status_callback_url"})

    def read(self, fields: Fields, before: MessageHandler | None) -> MessageHandler:
        """A script for messages is held against SWML's messaging methods at once."""
        stands = before or MessageHandler(self.name, "")
        use = _use(fields, "script_type", stands)
        contents = fields.given("contents")
        kept = stands.contents
        if isinstance(contents, dict):
            kept = json.encode(contents).decode()
        elif isinstance(contents, str) and contents:
            kept = contents
        elif contents not in (None, ""):
            fields.refuse("invalid_parameter", "contents must be an object or a string", "contents")
        elif before is None:
            fields.refuse("missing_required_parameter", "contents is required", "contents")
        if kept:
            _check(kept, use, fields)
        return replace(
            stands,
            name=self._name(fields, "name" if before is None else "display_name", before, is_required=True),
            used_for=use,
            contents=kept,
            status_callback=self._url(fields, "status_callback_url", stands.status_callback),
        )

    def body(self, resource: Resource[MessageHandler]) -> dict[str, Any]:
        """The document, as it was given."""
        value, id = resource.value, to_uuid(resource.id)
        told = {
            "id": id,
            "display_name": value.name,
            "script_type": value.used_for,
            "request_url": f"{self.path}/{id}",
            "contents": _document(value.contents),
        }
        if value.used_for == "calling":
            told |= {
                "status_callback_url": value.status_callback,
                "status_callback_method": value.status_callback_method,
            }
        return told


class RelayApplication(Kind):
    """The Relay clients of a topic, for calls and messages alike."""

    name = "relay_application"
    path = f"{RESOURCES}/relay_applications"
    created = 200
    method = "PUT"
    parameters = frozenset({"name", "topic", "call_status_callback_url"})
    changes = parameters

    def read(self, fields: Fields, before: MessageHandler | None) -> MessageHandler:
        """A name and a topic."""
        stands = before or MessageHandler(self.name, "", used_for="messaging")
        topic = fields.text("topic", is_required=before is None, most=_MOST_NAME)
        return replace(
            stands,
            name=self._name(fields, "name", before, is_required=True),
            topic=topic or stands.topic,
            status_callback=self._url(fields, "call_status_callback_url", stands.status_callback),
        )

    def body(self, resource: Resource[MessageHandler]) -> dict[str, Any]:
        """Its topic."""
        value = resource.value
        return {
            "id": to_uuid(resource.id),
            "name": value.name,
            "topic": value.topic,
            "call_status_callback_url": value.status_callback,
        }


def kinds(guard: Guard) -> dict[HandlerKind, Kind]:
    """All of them, by name."""
    every = (Webhook(guard, "swml_webhook"), Webhook(guard, "cxml_webhook"), SwmlScript(guard), RelayApplication(guard))
    return {kind.name: kind for kind in every}


def _check(contents: str, use: str, fields: Fields) -> None:
    """Note what is wrong with a script. One for calls is never run, and may be any text."""
    if len(contents) > _MOST_CONTENTS:
        fields.refuse("invalid_parameter", f"contents has at most {_MOST_CONTENTS} characters", "contents")
    elif use == "messaging":
        try:
            messaging.read_text(contents)
        except Faulty as faulty:
            fields.refuse(faulty.word, faulty.plain, "contents")


def _document(contents: str) -> Any:
    """A document as an object, where it is JSON; else the text."""
    try:
        return json.decode(contents)
    except DecodeError:
        return contents


def _use(fields: Fields, name: str, before: MessageHandler) -> Literal["calling", "messaging"]:
    given = fields.choice(name, _USES)
    return cast("Literal['calling', 'messaging']", given or before.used_for)
