"""Messages: create, fetch, list, redact, cancel, delete. Source: twilio.com/docs/messaging/api/message-resource."""

from typing import Final

from msgspec.structs import replace

from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.twilio import laml, pages, render
from parley.api.twilio.draft import draft_of
from parley.api.twilio.parameters import period, wanted_address
from parley.api.twilio.paths import MESSAGE, check_account, check_nothing_asked, resource_id
from parley.api.twilio.problems import Invalid
from parley.api.twilio.urls import Urls
from parley.core.amend import Amending
from parley.core.send import Sending
from parley.model.laml import marked
from parley.model.message import Message
from parley.store import Engine, messages

_FILTERS: Final = pages.PARAMETERS | {"To", "From", "DateSent", "DateSent<", "DateSent>"}
_CHANGES: Final = frozenset({"Body", "Status"})


class Messages:
    """The operations on messages."""

    def __init__(self, engine: Engine, sending: Sending, amending: Amending, urls: Urls) -> None:
        self._engine = engine
        self._sending = sending
        self._amending = amending
        self._urls = urls

    async def create(self, call: Call) -> Reply:
        """Send a message: 201 once it is durable."""
        check_account(call)
        draft = draft_of(call, self._urls)
        if laml.is_asked(call):
            draft = replace(draft, extras=marked(draft.extras))
        message = await self._sending.send(draft)
        return json_reply(201, render.created(message))

    async def fetch(self, call: Call) -> Reply:
        """One message."""
        check_nothing_asked(call)
        return json_reply(200, render.message(await self._named(call)))

    async def list(self, call: Call) -> Reply:
        """A page of the account's messages, newest first."""
        check_account(call)
        form = call.arguments()
        form.allow(_FILTERS)
        page = pages.page_of(form)
        sent_from, sent_before = period(form, "DateSent")
        wanted = messages.Filter(
            recipient=wanted_address(form, "To"),
            sender=wanted_address(form, "From"),
            sent_from=sent_from,
            sent_before=sent_before,
        )
        found = await self._engine.read(
            messages.page,
            call.account.id,
            wanted,
            page.limit,
            page.after,
            backwards=page.backwards,
            skip=page.skip,
        )
        path = f"{render.account_path(call.account.id)}/Messages.json"
        return pages.page_reply("messages", path, form, page, found, lambda message: message.id, render.message)

    async def update(self, call: Call) -> Reply:
        """Redact a message (an empty Body) or cancel it (Status=canceled): one of the two."""
        message = await self._named(call)
        form = call.form()
        form.allow(_CHANGES)
        body, status = form.one("Body"), form.one("Status")
        if body == "" and status is None:
            changed = await self._amending.redact(message)
        elif body is None and status == "canceled":
            changed = await self._amending.cancel(message)
        else:
            raise Invalid(30400, "Give either an empty Body, to redact the message, or Status=canceled")
        return json_reply(200, render.message(changed))

    async def delete(self, call: Call) -> Reply:
        """Delete a message that is complete."""
        check_nothing_asked(call)
        await self._amending.delete(await self._named(call))
        return NO_CONTENT

    async def _named(self, call: Call) -> Message:
        check_account(call)
        return await self._amending.fetch(call.account.id, resource_id(call, MESSAGE))
