"""The numbers that accounts own: find, own, configure, release."""

from collections.abc import Callable

from msgspec.structs import replace

from parley.core import magic_numbers
from parley.core.cache import Cache
from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.lib.clock import Clock
from parley.lib.ids import Ids
from parley.model.address import Address
from parley.model.application import Application
from parley.model.handler import MessageHandler, url_of
from parley.model.laml import marked
from parley.model.message import Dialect
from parley.model.number import Number
from parley.model.resource import Resource
from parley.store import Engine, numbers


class Numbers:
    """Numbers of all accounts. With `own_on_use` (the dev profile) an address is owned by who first uses it.

    `forget_others` is called when one was released: what it was made went with it.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        ids: Ids,
        applications: Resources[Application],
        handlers: Resources[MessageHandler],
        *,
        own_on_use: bool,
        forget_others: Callable[[], None] | None = None,
    ) -> None:
        self._engine = engine
        self._applications = applications
        self._handlers = handlers
        self._clock = clock
        self._ids = ids
        self._own_on_use = own_on_use
        self._forget_others = forget_others
        self._cache: Cache[str, Number] = Cache(clock)
        self.changes = 0
        """Grows with each change that is known of: what was made of the numbers may not hold any more."""

    def forget(self) -> None:
        """Ask the record again, because another node changed it."""
        self.changes += 1
        self._cache.clear()

    async def by_address(self, address: str) -> Number | None:
        """Who owns an address (without its channel), and what happens there."""
        return self._cache.get(address) or await self._cache.ask(
            address, lambda: self._engine.read(numbers.by_address, address)
        )

    async def reached(self, address: str) -> Number | None:
        """Who owns the address that a message came to, with the webhooks to call: its application's, or what its
        handler says, where it has one that still stands.
        """
        number = await self.by_address(address)
        if number is None or number.application_id is None:
            return number
        application = await self._applications.find(number.account_id, number.application_id)
        if application is None:
            handler = await self._handlers.find(number.account_id, number.application_id)
            if handler is None or handler.value.used_for != "messaging":
                return number
            return _handled(number, handler)
        webhooks = application.value
        return replace(
            number,
            request_url=webhooks.sms_url,
            request_method=webhooks.sms_method,
            fallback_url=webhooks.sms_fallback_url,
            fallback_method=webhooks.sms_fallback_method,
        )

    async def has_handler(self, number: Number) -> bool:
        """Whether the handler that a number was led to still stands."""
        if number.application_id is None:
            return False
        return await self._handlers.find(number.account_id, number.application_id) is not None

    async def sender(self, account_id: bytes, address: Address, dialect: Dialect) -> Number | None:
        """The number to send from; None for an alphanumeric sender, which nobody owns. The good test number is all's.

        Raises Refused: sender_of_another_account, sender_not_owned.
        """
        if address.kind == "alphanumeric":
            return None
        if address.value == magic_numbers.GOOD:
            return self.blank(account_id, address.value, dialect)
        number = await self.by_address(address.value)
        if number is None and self._own_on_use:
            number = await self.own(self.blank(account_id, address.value, dialect))
        if number is None:
            raise Refused("sender_not_owned", address.text)
        if number.account_id != account_id:
            raise Refused("sender_of_another_account", address.text)
        return number

    def blank(self, account_id: bytes, address: str, dialect: Dialect) -> Number:
        """A number without any configuration."""
        now = self._clock.now()
        return Number(
            id=self._ids.new(),
            account_id=account_id,
            address=address,
            name=address,
            dialect=dialect,
            handler=None,
            request_url=None,
            request_method="POST",
            fallback_url=None,
            fallback_method="POST",
            status_callback=None,
            status_callback_method="POST",
            can_sms=1,
            can_mms=1,
            can_whatsapp=1,
            created_at=now,
            updated_at=now,
            extras=None,
        )

    async def own(self, number: Number) -> Number:
        """Give an address to an account, unless somebody has it; the number as it stands then."""
        stands: Number = await self._engine.write(numbers.own, number)
        self._note(stands)
        return stands

    async def change(self, before: Number, after: Number) -> Number:
        """Store what is new in a number's configuration; what others changed beside it meanwhile stays. The number as
        it is then. Raises Refused(not_found) when it was released meanwhile.
        """
        changed = await self._engine.write(numbers.change, before, replace(after, updated_at=self._clock.now()))
        if changed is None:
            raise Refused("not_found")
        self._note(changed)
        return changed

    async def fetch(self, account_id: bytes, number_id: bytes) -> Number | None:
        """One of the account's numbers."""
        return await self._engine.read(numbers.fetch, account_id, number_id)

    async def release(self, number: Number) -> None:
        """Give an address up. Raises Refused(not_found)."""
        gone = await self._engine.write(numbers.drop, number.account_id, number.id)
        self.changes += 1
        self._cache.drop(number.address)
        if self._forget_others is not None:
            self._forget_others()
        if not gone:
            raise Refused("not_found")

    async def drop_application(self, account_id: bytes, application_id: bytes) -> None:
        """Remove an application: numbers that name it have their own webhooks again. Raises Refused(not_found)."""
        gone = await self._engine.write(numbers.drop_application, account_id, application_id)
        self.forget()
        self._applications.forget()
        if not gone:
            raise Refused("not_found")

    def _note(self, number: Number) -> None:
        self.changes += 1
        self._cache.put(number.address, number)


def _handled(number: Number, handler: Resource[MessageHandler]) -> Number:
    """A number whose messages a handler gets."""
    value = handler.value
    if value.kind == "relay_application":
        return replace(number, dialect="signalwire", handler=value.kind, relay_context=value.topic, request_url=None)
    is_cxml = value.kind == "cxml_webhook"
    return replace(
        number,
        dialect="twilio" if is_cxml else "signalwire",
        handler="laml_webhooks" if is_cxml else "json_webhook",
        extras=marked(number.extras, is_so=is_cxml),
        relay_context=None,
        request_url=url_of(handler.id) if value.kind == "swml_script" else value.request_url,
        request_method=value.request_method,
        fallback_url=value.fallback_url,
        fallback_method=value.fallback_method,
    )
