"""Messages: send one, redact one, and (beyond SignalWire's own API) read them."""

from typing import Final

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.signalwire import pages
from parley.api.signalwire.draft import read_draft
from parley.api.signalwire.logs import page_of_messages
from parley.api.signalwire.media import MediaShelf
from parley.api.signalwire.paths import path_id
from parley.api.signalwire.problems import Invalid, Problem, unknown_parameter
from parley.api.signalwire.shapes import MESSAGES, message_body
from parley.core.amend import Amending
from parley.core.send import Sending
from parley.model.message import Message
from parley.store import Engine
from parley.webhooks.guard import Guard

_UPDATE: Final = frozenset({"body"})


class Messages:
    """`/api/messaging/messages`."""

    def __init__(
        self,
        sending: Sending,
        amending: Amending,
        engine: Engine,
        shelf: MediaShelf,
        guard: Guard,
    ) -> None:
        self._sending = sending
        self._amending = amending
        self._engine = engine
        self._shelf = shelf
        self._guard = guard

    async def create(self, call: Call) -> Reply:
        """POST: 201 with the message, once it is durable. Source: create-message page."""
        draft = read_draft(call, self._guard)
        message = await self._sending.send(draft)
        # Nothing is read any more that could fail: the message is on its way, and who is told so has to know its id.
        return json_reply(201, message_body(message, draft.media_urls))

    async def fetch(self, call: Call) -> Reply:
        """GET of one message, in the shape of the answer to its POST. Not in SignalWire's API."""
        pages.allow(call.arguments())
        return await self._reply(call, await self._message(call))

    async def update(self, call: Call) -> Reply:
        """PATCH `{"body":""}`: empty the text in the record. Source: update-message page."""
        _check_update(call)
        return await self._reply(call, await self._amending.redact(await self._message(call)))

    async def list(self, call: Call) -> Reply:
        """GET: the messages of both directions, newest first, paged as the logs are. Not in SignalWire's API."""
        page = await page_of_messages(MESSAGES, call, self._engine)
        urls = await self._shelf.urls(call.base_url, page.items)
        data = [message_body(message, urls.get(message.id, ())) for message in page.items]
        return json_reply(200, {"links": page.links, "data": data})

    async def _message(self, call: Call) -> Message:
        return await self._amending.fetch(call.account.id, path_id(call))

    async def _reply(self, call: Call, message: Message) -> Reply:
        urls = await self._shelf.urls(call.base_url, (message,))
        return json_reply(200, message_body(message, urls.get(message.id, ())))


def _check_update(call: Call) -> None:
    given = call.json()
    problems = [unknown_parameter(name, "cannot be changed") for name in given if name not in _UPDATE]
    body = given.get("body")
    if body is None:
        problems.append(Problem("missing_required_parameter", "body is required", "body"))
    elif body != "":
        problems.append(Problem("body_must_be_empty", "The body can only be emptied, not replaced", "body"))
    if problems:
        raise Invalid(problems)
