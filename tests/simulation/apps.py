"""The hosts of customers: apps that are called back and answer what comes in, and where media are fetched."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from msgspec import json

from parley.core.media import RETRIEVAL_FAILED, Fetched, MediaUnavailable
from parley.core.refusal import Reason
from parley.model.account import Account
from parley.model.callback import Callback
from parley.model.message import Media, Message
from parley.webhooks.attempt import HTTP_ERROR, REFUSED_ATTEMPTS, Failed, Held
from parley.webhooks.client import Answer
from parley.webhooks.hosts import Hosts, host_of
from parley.webhooks.render import Rendered, Say, Script, script

HOSTS: Final = ("well.example", "flaky.example", "slow.example", "dead.example")
_MOST_REPLIES: Final = 2


class Heard(msgspec.Struct, frozen=True):
    """One request that a host was sent to tell of a state."""

    callback_id: bytes
    status: str


class Apps:
    """All hosts."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.doubtful = 1.0
        self.heard: dict[bytes, list[Heard]] = defaultdict(list)
        """By message."""
        self.asked: Counter[bytes] = Counter()
        """How often an inbound message was told of."""
        self.replied: dict[bytes, tuple[str, ...]] = {}
        """What was answered to each."""

    async def hear(self, callback: Callback) -> str | Failed:
        """Be told of a state; what becomes of it."""
        return await self._take(callback.url, lambda: self._note(callback)) or "HTTP 200"

    def _note(self, callback: Callback) -> None:
        self.heard[callback.message_id].append(Heard(callback.id, callback.status))

    async def ask(self, url: str, message_id: bytes) -> tuple[str, ...] | Failed:
        """Be told of an inbound message; the replies to it, which are the same however often it is told of."""
        failed = await self._take(url, lambda: self.asked.update((message_id,)))
        if failed is not None:
            return failed
        if message_id not in self.replied:
            count = self.chance.choice((0, 0, 1, _MOST_REPLIES))
            self.replied[message_id] = tuple(f"reply {n} to {message_id.hex()}" for n in range(count))
        return self.replied[message_id]

    async def fetch(self, url: str, most: int) -> Fetched:
        """What a URL of media gives. Raises MediaUnavailable."""
        failed = await self._take(url, lambda: None)
        if failed is not None:
            raise MediaUnavailable(RETRIEVAL_FAILED, failed.reason, is_final=failed.worth_attempts == 1)
        return Fetched("image/png", url.encode()[:most])

    async def _take(self, url: str, note: Callable[[], None]) -> Failed | None:
        """One request; how it failed, if it did. A host that fails may have heard all the same."""
        name, chance = host_of(url).partition(":")[0], self.chance
        is_bad = chance.random() < self.doubtful
        if name == "dead.example" and is_bad:
            await asyncio.sleep(chance.choice((0.0, 2.0)))
            return Failed(11205, "refused", "11205 refused", None)
        if name == "slow.example" and is_bad:
            await asyncio.sleep(chance.random() * 6)
        note()
        await asyncio.sleep(chance.random() * 0.1)
        if name == "flaky.example" and is_bad and chance.random() < 0.6:
            if chance.random() < 0.2:
                return Failed(HTTP_ERROR, "HTTP 404", "HTTP 404", 1)
            return Failed(HTTP_ERROR, "HTTP 500", "HTTP 500", REFUSED_ATTEMPTS)
        return None


class Requests:
    """One node's way to the hosts, in the place of Attempts."""

    def __init__(self, apps: Apps, hosts: Hosts) -> None:
        self._apps = apps
        self._hosts = hosts

    async def status(self, callback: Callback, _: Rendered, is_wanted: Callable[[], bool]) -> str:
        """Tell of a state. Raises Failed, Held."""
        if not is_wanted():
            raise Held
        said = await self._apps.hear(callback)
        self._learn(callback.url, said)
        if isinstance(said, Failed):
            raise said
        return said

    async def request(self, dialect: str, url: str, rendered: Rendered, cookies: object) -> Answer:
        """Tell of an inbound message. Raises Failed."""
        del dialect, cookies
        assert rendered.body is not None
        said = await self._apps.ask(url, rendered.body)
        self._learn(url, said)
        if isinstance(said, Failed):
            raise said
        return Answer(status=200, headers={}, set_cookies=(), body=json.encode(said), url=url)

    def check_before_fallback(self, url: str) -> None:
        """Raise Failed where the host is left alone."""
        if self._hosts.is_held(host_of(url)):
            raise Failed(11205, "held", "11205 held", None)

    def _learn(self, url: str, said: object) -> None:
        if isinstance(said, Failed) and said.code != HTTP_ERROR:
            self._hosts.failed(host_of(url), said.reason)
        else:
            self._hosts.answered(host_of(url))


class Plain:
    """Both dialects: what is told is the callback itself or a message's id, what is answered a list of replies."""

    def status(self, *_: object) -> Rendered:
        """Nothing: the hosts look at the callback."""
        return Rendered("POST", "", (), None)

    def inbound(
        self, account: Account, message: Message, media: Sequence[Media], callback: Callback, *, url: str, **_: Any
    ) -> Rendered:
        """The message's id."""
        del account, media, callback
        return Rendered("POST", url, (), message.id)

    def refusal(self, reason: Reason) -> int:
        """Any number."""
        del reason
        return 14103

    def read(self, *given: Any) -> Script:
        """A message for each text."""
        answer: Answer = given[-1]
        return script([Say(text) for text in json.decode(answer.body, type=list[str])])
