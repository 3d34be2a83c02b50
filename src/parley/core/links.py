"""Short links: put them into messages, lead those who follow them, and tell their owners of clicks."""

import string
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import structlog
from msgspec import json
from msgspec.structs import replace

from parley.core.resources import Resources
from parley.lib.clock import Clock
from parley.lib.ids import Ids
from parley.lib.randomness import Randomness
from parley.lib.web_links import spans
from parley.model.callback import Callback
from parley.model.link import CODE_LENGTH, LIFE_US, Link, LinkDomain, domain_id
from parley.model.message import Message
from parley.model.resource import Resource
from parley.store import Engine, StoreUnavailable, links, messages
from parley.store.links import Click

log = structlog.get_logger(__name__)

KIND: Final = links.DOMAIN
_ALPHABET: Final = string.ascii_letters + string.digits
_MOST_AGENT: Final = 500


class Visit(msgspec.Struct, frozen=True):
    """Somebody followed a link."""

    link: Link
    short_url: str
    message: Message
    at: int
    user_agent: str


Told = Callable[[Visit], Mapping[str, str]]
"""What the owner of a link is told of a visit, as a form."""


class Shortened(msgspec.Struct, frozen=True):
    """A body whose links are short, and what they lead to by code."""

    body: str
    urls: Mapping[str, str]
    domain_id: bytes | None

    def of(self, message: Message, goes_at: int) -> tuple[Link, ...]:
        """The links, as those of a message that is sent at a time."""
        made = (message.account_id, message.id)
        at = message.created_at
        return tuple(
            Link(code, *made, url, self.domain_id, at, goes_at + LIFE_US, 0, None) for code, url in self.urls.items()
        )


class ShortLinks:
    """The short links of all accounts. `origin` is where those of services without a domain of their own stand.

    `wake` is called when a callback is owed.
    """

    def __init__(
        self,
        engine: Engine,
        domains: Resources[LinkDomain],
        origin: str,
        clock: Clock,
        ids: Ids,
        randomness: Randomness,
        told: Told,
        wake: Callable[[], None],
    ) -> None:
        self.domains = domains
        self._engine = engine
        self.origin = origin.rstrip("/")
        self._clock = clock
        self._ids = ids
        self._randomness = randomness
        self._told = told
        self._wake = wake
        self._clicks = engine.lane(links.click)

    async def add(self, account_id: bytes, domain: str) -> Resource[LinkDomain]:
        """Take a domain for an account's links. Raises Refused(name_taken)."""
        return await self.domains.add(account_id, LinkDomain(domain), name=domain, id=domain_id(domain))

    async def shorten(self, account_id: bytes, domain: bytes | None, body: str) -> Shortened:
        """A body with each URL short, the same one by the same code, on the domain unless that is gone."""
        found = None if domain is None else await self.domains.find(account_id, domain)
        value = None if found is None else found.value
        codes: dict[str, str] = {}
        parts: list[str] = []
        end = 0
        for begin, end_of_link in spans(body):
            url = body[begin:end_of_link]
            code = codes.get(url) or codes.setdefault(url, self._code())
            parts += (body[end:begin], self._short(value, code))
            end = end_of_link
        parts.append(body[end:])
        urls = {code: url for url, code in codes.items()}
        return Shortened("".join(parts), urls, None if found is None else found.id)

    async def follow(self, code: str, user_agent: str, *, is_click: bool) -> str | None:
        """Where a link leads. None when there is none, or it has expired.

        A click is counted before this returns, and told of, unless the record cannot be written. Raises
        StoreUnavailable when it cannot be read.
        """
        link = await self._engine.read(links.find, code)
        if link is None or link.expires_at <= self._clock.now():
            return None
        if is_click:
            try:
                await self._click(link, user_agent[:_MOST_AGENT])
            except StoreUnavailable as error:
                log.warning("a click is not counted", error=str(error))
        return link.url

    async def fallback(self, domain: str) -> str | None:
        """Where whoever asks a domain of links for what leads nowhere is sent. Raises StoreUnavailable."""
        found = await self._engine.read(links.domain, domain_id(domain))
        return None if found is None else found.fallback_url

    async def of_message(self, message: Message) -> list[tuple[str, Link]]:
        """The links in a message with the short URLs, in the order of its text; by code when that was not kept."""
        found = await self._engine.read(links.of_message, message.id)
        found.sort(key=lambda link: message.body.find(link.code))
        return [(self._short(await self._domain(link), link.code), link) for link in found]

    async def _domain(self, link: Link) -> LinkDomain | None:
        if link.domain_id is None:
            return None
        found = await self.domains.find(link.account_id, link.domain_id)
        return None if found is None else found.value

    async def _click(self, link: Link, user_agent: str) -> None:
        now = self._clock.now()
        domain = await self._domain(link)
        callback = None
        if domain is not None and domain.callback_url is not None:
            message = await self._engine.read(messages.fetch, link.account_id, link.message_id)
            if message is not None:  # it is not deleted
                visit = Visit(link, self._short(domain, link.code), message, now, user_agent)
                callback = self._notice(domain.callback_url, visit)
        await self._clicks.put(Click(link.code, now, callback))
        if callback is not None:
            self._wake()

    def _notice(self, url: str, visit: Visit) -> Callback:
        """What is owed of a visit. It is not among its message's callbacks, which would wait for each other."""
        id_ = self._ids.new()
        key = (visit.link.account_id, id_)
        plain = Callback.owed(id_, key, "twilio", url, visit.message.status, at=visit.at, node=None)
        return replace(plain, kind="notice", data=json.encode(self._told(visit)).decode())

    def _short(self, domain: LinkDomain | None, code: str) -> str:
        if domain is None:
            return f"{self.origin}/{code}"
        return f"{'' if domain.disable_https else 'https://'}{domain.domain}/{code}"

    def _code(self) -> str:
        return "".join(self._randomness.choice(_ALPHABET) for _ in range(CODE_LENGTH))
