"""What an account may spend, asked for by many messages at once."""

import asyncio
from collections.abc import Collection

import pytest

from parley.core.accounts import Accounts
from parley.core.allowances import Allowances
from parley.core.resources import Resources
from parley.core.usage import Usage
from parley.lib.ids import Ids
from parley.model.address import parse_recipient
from parley.model.allowance import Allowance
from parley.store import Engine
from parley.store.vault import Vault
from tests.carriers.dice import Dice
from tests.clock import ManualClock
from tests.core.node import PHONE


class _Counted(Usage):
    """Notes for how many accounts it was asked, each time."""

    def __init__(self, engine: Engine, clock: ManualClock) -> None:
        super().__init__(engine, clock)
        self.asked: list[int] = []

    async def spent(self, accounts: Collection[bytes]) -> int:
        self.asked.append(len(accounts))
        return await super().spent(accounts)


class Money:
    """What accounts of one node may spend."""

    def __init__(self, engine: Engine, clock: ManualClock) -> None:
        ids = Ids(clock)
        self.usage = _Counted(engine, clock)
        self.accounts = Accounts(engine, Vault(b"v" * 32), clock, ids, lambda: Dice(1).token(16))
        kept = Resources(engine, clock, ids, "allowance", Allowance)
        self.allowances = Allowances(kept, self.accounts, self.usage, clock, Allowance(credit=1))


@pytest.fixture
def money(engine: Engine, clock: ManualClock) -> Money:
    return Money(engine, clock)


async def test_messages_that_come_together_ask_once_what_is_spent(money: Money) -> None:
    account = await money.accounts.add("Test")
    recipient = parse_recipient(PHONE)
    await asyncio.gather(*(money.allowances.check(account, recipient) for _ in range(20)))
    assert money.usage.asked == [1]


async def test_every_subaccount_spends_its_owners_money(money: Money) -> None:
    owner = await money.accounts.add("Owner")
    made = await asyncio.gather(*(money.accounts.add_subaccount(owner, f"Sub {n}") for n in range(1001)))
    await money.accounts.add("Another")
    for account in (owner, made[0]):
        await money.allowances.check(account, parse_recipient(PHONE))
    assert money.usage.asked == [1002, 1002]
