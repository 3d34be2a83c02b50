"""Show and set what an account may do that costs: the countries that it writes to, and its credit."""

import re
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from parley.api.admin.problems import checked
from parley.api.http.credentials import check_manages
from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.core.accounts import Accounts
from parley.core.allowances import Allowances
from parley.lib.countries import names
from parley.model.account import Account
from parley.model.allowance import Allowance

_AMOUNT: Final = re.compile(r"(\d{1,9})(?:\.(\d{1,6}))?", re.ASCII)


class _Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    geo_permissions: tuple[str, ...] | msgspec.UnsetType | None = msgspec.UNSET
    credit: str | msgspec.UnsetType | None = msgspec.UNSET


class _TopUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    amount: str


class AllowanceApi:
    """Handlers of /admin/allowance."""

    def __init__(self, allowances: Allowances, accounts: Accounts) -> None:
        self._allowances = allowances
        self._accounts = accounts

    async def show(self, call: Call) -> Reply:
        """GET: the account's own allowance, and what is left of the money."""
        call.arguments().allow(frozenset())
        return await self._reply(call.account, await self._allowances.of(call.account.id))

    async def change(self, call: Call) -> Reply:
        """PUT: `geo_permissions` and `credit`; null for what the server's settings say. A subaccount has no credit.

        A standard key may not: it would raise the very bound that it is held to.
        """
        call.arguments().allow(frozenset())
        await check_manages(call.headers, self._accounts)
        given = checked(call.json(), _Given)
        if isinstance(given.credit, str) and call.account.owner_id is not None:
            raise Fault("invalid_parameter", "A subaccount spends its owner's money: set the owner's credit", "credit")
        changes: dict[str, Any] = {}
        if given.geo_permissions is not msgspec.UNSET:
            changes["countries"] = None if given.geo_permissions is None else _countries(given.geo_permissions)
        if given.credit is not msgspec.UNSET:
            changes["credit"] = None if given.credit is None else _money(given.credit, "credit")
        changed = await self._allowances.change(call.account.id, lambda own: replace(own, **changes))
        return await self._reply(call.account, changed)

    async def top_up(self, call: Call) -> Reply:
        """POST /admin/allowance/top_up: more credit, for an account that has one. Not with a standard key."""
        call.arguments().allow(frozenset())
        await check_manages(call.headers, self._accounts)
        amount = _money(checked(call.json(), _TopUp).amount, "amount")

        def more(own: Allowance) -> Allowance:
            if own.credit is None:
                raise Fault("invalid_parameter", "The account has no credit of its own to add to: set one first")
            return replace(own, credit=own.credit + amount)

        return await self._reply(call.account, await self._allowances.change(call.account.id, more))

    async def _reply(self, account: Account, own: Allowance) -> Reply:
        return json_reply(
            200,
            {
                "geo_permissions": own.countries,
                "credit": None if own.credit is None else _text(own.credit),
                "balance": _text(await self._allowances.balance(account)),
            },
        )


def _countries(given: tuple[str, ...]) -> tuple[str, ...]:
    wrong = next((country for country in given if country not in names()), None)
    if wrong is not None:
        raise Fault("invalid_parameter", f"{wrong[:100]} is no country's code of ISO 3166-1", "geo_permissions")
    return tuple(sorted(set(given)))


def _money(text: str, name: str) -> int:
    """Millionths of a US dollar."""
    found = _AMOUNT.fullmatch(text)
    if found is None:
        raise Fault("invalid_parameter", f"{name} is US dollars, such as 12.50, with at most six places", name)
    return int(found[1]) * 1_000_000 + int((found[2] or "").ljust(6, "0"))


def _text(micro_usd: int) -> str:
    return f"{'-' if micro_usd < 0 else ''}{abs(micro_usd) // 1_000_000}.{abs(micro_usd) % 1_000_000:06}"
