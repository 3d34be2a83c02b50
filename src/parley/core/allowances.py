"""What each account may do that costs: the countries that it writes to, and the money that it spends."""

from collections.abc import Callable
from typing import Final

import msgspec

from parley.core.accounts import Accounts
from parley.core.cache import Cache
from parley.core.refusal import Refused
from parley.core.resources import Resources
from parley.core.usage import Usage
from parley.lib.clock import Clock
from parley.lib.phone import market
from parley.model.account import Account
from parley.model.address import Address
from parley.model.allowance import Allowance

_NAME: Final = "account"


class Standing(msgspec.Struct, frozen=True):
    """How an account stands: what it may do, and what is left. Money is in millionths of a US dollar."""

    countries: frozenset[str] | None
    """Those that it may write to; None for all."""
    credit: int | None
    """What it may spend in all; None for as much as it likes."""
    spent: int | None
    """What it spent, when it has a credit."""

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self.credit is not None and self.spent is not None and self.spent >= self.credit


class Allowances:
    """The allowances of all accounts. `otherwise` holds for those that have none of their own.

    A subaccount spends its owner's money, and writes to its owner's countries unless it has its own.
    """

    def __init__(
        self, kept: Resources[Allowance], accounts: Accounts, usage: Usage, clock: Clock, otherwise: Allowance
    ) -> None:
        self._kept = kept
        self._accounts = accounts
        self._usage = usage
        self._otherwise = otherwise
        self._standings: Cache[bytes, Standing] = Cache(clock)

    def forget(self) -> None:
        """Ask the record again, because another node changed something."""
        self._standings.clear()

    async def check(self, account: Account, recipient: Address) -> None:
        """Hold a message that an account wants to send against what it may.

        Raises Refused: country_not_enabled, funds_spent. What is spent is known to the second, and what waits to be
        sent is not spent yet: an account may go below zero by as much as it sends in a second.
        """
        standing = await self._standings.ask(account.id, lambda: self._stand(account))
        assert standing is not None, "every account stands somehow"
        if standing.countries is not None and recipient.kind == "e164":
            country = market(recipient.value)
            if country is not None and country not in standing.countries:
                raise Refused("country_not_enabled", recipient.text)
        if standing.is_spent:
            raise Refused("funds_spent")

    async def of(self, account_id: bytes) -> Allowance:
        """An account's own allowance."""
        kept = await self._kept.named(account_id, _NAME)
        return Allowance() if kept is None else kept.value

    async def balance(self, account: Account) -> int:
        """What is left of an account's credit and its owner's; below zero, what was spent without one."""
        standing = await self._stand(account)
        spent = standing.spent
        if spent is None:
            spent = await self._spent(account)
        return (standing.credit or 0) - spent

    async def change(self, account_id: bytes, change: Callable[[Allowance], Allowance]) -> Allowance:
        """Set an account's own allowance to what `change` makes of it."""
        kept = await self._kept.named(account_id, _NAME)
        if kept is None:
            try:
                made = await self._kept.add(account_id, change(Allowance()), name=_NAME)
            except Refused:  # another request made it meanwhile
                self._kept.forget()
                return await self.change(account_id, change)
            self.forget()
            return made.value
        changed = await self._kept.change(
            account_id, kept.id, lambda it: msgspec.structs.replace(it, value=change(it.value))
        )
        self.forget()
        return changed.value

    async def _stand(self, account: Account) -> Standing:
        own = await self.of(account.id)
        owner = own if account.owner_id is None else await self.of(account.owner_id)
        countries = next(
            (wanted for wanted in (own.countries, owner.countries, self._otherwise.countries) if wanted is not None),
            None,
        )
        credit = self._otherwise.credit if owner.credit is None else owner.credit
        spent = None if credit is None else await self._spent(account)
        return Standing(None if countries is None else frozenset(countries), credit, spent)

    async def _spent(self, account: Account) -> int:
        """What was spent of the money that an account spends: its owner's, all of whose subaccounts do."""
        return await self._usage.spent(await self._accounts.family(account.owner_id or account.id))
