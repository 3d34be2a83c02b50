"""What an account may spend, asked for by many messages at once."""

import asyncio
from collections.abc import Collection

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
    asked = 0

    async def spent(self, accounts: Collection[bytes]) -> int:
        self.asked += 1
        return await super().spent(accounts)


async def test_messages_that_come_together_ask_once_what_is_spent(engine: Engine, clock: ManualClock) -> None:
    ids, usage = Ids(clock), _Counted(engine, clock)
    accounts = Accounts(engine, Vault(b"v" * 32), clock, ids, lambda: Dice(1).token(16))
    account = await accounts.add("Test")
    kept = Resources(engine, clock, ids, "allowance", Allowance)
    allowances = Allowances(kept, accounts, usage, clock, Allowance(credit=1))
    recipient = parse_recipient(PHONE)
    await asyncio.gather(*(allowances.check(account, recipient) for _ in range(20)))
    assert usage.asked == 1
