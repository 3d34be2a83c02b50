"""Senders on channels beside SMS: what an account's registration of one says of its messages' webhooks."""

from collections.abc import Collection
from typing import Final

from msgspec.structs import replace

from parley.core.resources import Resources
from parley.lib.clock import Clock
from parley.model.address import Address
from parley.model.channel import ChannelSender
from parley.model.number import Number
from parley.store import Engine, messages

WINDOW_US: Final = 24 * 3600 * 1_000_000
"""For so long after a recipient wrote, WhatsApp takes what is no template. Source: twilio.com/docs/api/errors/63016."""


class Channels:
    """The channel senders of all accounts."""

    def __init__(self, engine: Engine, clock: Clock, senders: Resources[ChannelSender]) -> None:
        self._engine = engine
        self._clock = clock
        self._senders = senders

    @property
    def changes(self) -> int:
        """Grows with each change that is known of."""
        return self._senders.changes

    async def is_ready(self, account_id: bytes, address: str) -> bool:
        """Whether an address may send: one that is registered, once it is approved."""
        found = await self._senders.named(account_id, address)
        return found is None or found.value.verdict == "approved"

    async def has_written(self, account_id: bytes, recipient: Address, senders: Collection[str]) -> bool:
        """Whether a recipient has written to one of these addresses within a day. Asks the record."""
        since = self._clock.now() - WINDOW_US
        return await self._engine.read(messages.has_written, account_id, recipient.text, senders, since)

    async def reached(self, number: Number, to: Address) -> Number:
        """The number that a message came to, with the webhooks to call: its channel sender's, where that has any."""
        if to.channel == "sms":
            return number
        found = await self._senders.named(number.account_id, to.text)
        webhook = None if found is None else found.value.webhook
        if webhook is None or not webhook.callback_url:
            return number
        return replace(
            number,
            handler="laml_webhooks",
            request_url=webhook.callback_url,
            request_method="POST",
            fallback_url=webhook.fallback_url,
            fallback_method="POST",
        )

    async def status_callback(self, account_id: bytes, sender: Address) -> str | None:
        """Who is told of the states of messages from a channel's address, where nobody else is named."""
        found = await self._senders.named(account_id, sender.text)
        return None if found is None else found.value.webhook.status_callback_url
