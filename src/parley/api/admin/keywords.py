"""The words that a messaging service honours, and its answers: GET and PUT /admin/services/{service}/keywords."""

import re
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec.structs import replace

from parley.api.admin.named import service_id
from parley.api.admin.problems import checked
from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.core.resources import Resources
from parley.model.consent import MOST_KEYWORD
from parley.model.message import MAX_BODY
from parley.model.service import KeywordReply, Service

_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)


class _Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: Literal["STOP", "START", "HELP"]
    keywords: Annotated[list[str], msgspec.Meta(min_length=1, max_length=50)]
    reply: Annotated[str, msgspec.Meta(max_length=MAX_BODY)] = ""
    language: Annotated[str, msgspec.Meta(max_length=35)] = ""
    country: str = ""


class _Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keywords: Annotated[list[_Reply], msgspec.Meta(max_length=100)]


class KeywordsApi:
    """Handlers of a service's keywords. Twilio has them in its console only."""

    def __init__(self, services: Resources[Service]) -> None:
        self._services = services

    async def show(self, call: Call) -> Reply:
        """GET: empty where the platform's own words hold."""
        call.arguments().allow(frozenset())
        service = await self._services.fetch(call.account.id, service_id(call))
        return _reply(service.value.keywords)

    async def put(self, call: Call) -> Reply:
        """PUT `{"keywords": [{"type", "keywords", "reply", "language", "country"}]}`: these words and no others, or
        the platform's own when there are none.
        """
        call.arguments().allow(frozenset())
        keywords = _read(checked(call.json(), _Given).keywords)
        await self._services.change(
            call.account.id, service_id(call), lambda it: replace(it, value=replace(it.value, keywords=keywords))
        )
        return _reply(keywords)


def _read(given: list[_Reply]) -> tuple[KeywordReply, ...]:
    read = tuple(
        KeywordReply(each.type, tuple(map(_word, each.keywords)), each.reply, each.language, each.country.upper())
        for each in given
    )
    meanings: dict[tuple[str, str], str] = {}
    for each in read:
        if each.country and _COUNTRY.fullmatch(each.country) is None:
            raise Fault("invalid_parameter", "country must be two letters of ISO 3166, or empty for all")
        if each.language and _LANGUAGE.fullmatch(each.language) is None:
            raise Fault("invalid_parameter", "language must be a tag such as en or pt-BR, or empty")
        for word in each.keywords:
            if meanings.setdefault((each.country, word), each.type) != each.type:
                raise Fault("invalid_parameter", f"{word} cannot mean {meanings[each.country, word]} and {each.type}")
    if read and not any(each.type == "STOP" and not each.country for each in read):
        raise Fault("invalid_parameter", "There must be a word of type STOP for all countries")
    return read


def _word(text: str) -> str:
    word = text.strip().upper()
    if not word or len(word) > MOST_KEYWORD:
        raise Fault("invalid_parameter", f"A keyword has 1 to {MOST_KEYWORD} characters")
    return word


def _reply(keywords: tuple[KeywordReply, ...]) -> Reply:
    told: list[dict[str, Any]] = [msgspec.to_builtins(each) for each in keywords]
    return json_reply(200, {"keywords": told})
