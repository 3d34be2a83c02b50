"""Accounts: one's own and its subaccounts. Source: twilio.com/docs/iam/api/account and /subaccounts."""

import hmac
import time
from typing import Final

from msgspec.structs import replace

from parley.api.http.credentials import basic, check_manages
from parley.api.http.decode import Form
from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.twilio import laml, pages, render
from parley.api.twilio.parameters import choice, friendly_name
from parley.api.twilio.paths import check_account, check_nothing_asked
from parley.api.twilio.problems import Invalid
from parley.core.accounts import Accounts
from parley.core.numbers import Numbers
from parley.lib import ids
from parley.lib.clock import Clock
from parley.model.account import Account, AccountStatus

_STATUSES: Final[dict[str, AccountStatus]] = {"active": "active", "suspended": "suspended", "closed": "closed"}
_FILTERS: Final = pages.PARAMETERS | {"FriendlyName", "Status"}


class AccountsApi:
    """The operations on accounts. A standard API key has no part in them."""

    def __init__(self, accounts: Accounts, numbers: Numbers, clock: Clock) -> None:
        self._accounts = accounts
        self._numbers = numbers
        self._clock = clock

    async def list(self, call: Call) -> Reply:
        """A page of the credentials' account and its subaccounts, newest first."""
        await check_manages(call.headers, self._accounts)
        form = call.arguments()
        form.allow(_FILTERS)
        page = pages.page_of(form)
        status = choice(form, "Status", _STATUSES)
        found = await self._accounts.page(
            call.account.id,
            page.limit,
            page.after,
            backwards=page.backwards,
            skip=page.skip,
            name=form.one("FriendlyName") or None,
            status=_STATUSES[status] if status else None,
        )
        path = f"/{render.VERSION}/Accounts.json"
        reply = pages.page_reply(
            "accounts", path, form, page, found, lambda each: each.id, lambda each: _rendered(call, each)
        )
        return laml.respelled(reply) if laml.is_spoken(call) else reply

    async def create(self, call: Call) -> Reply:
        """Make a subaccount."""
        await check_manages(call.headers, self._accounts)
        is_laml = laml.is_spoken(call)
        if is_laml:
            laml.accept_json(call)
        form = call.form()
        form.allow(frozenset({"FriendlyName"}))
        if call.account.owner_id is not None:
            raise Invalid(21101, "A subaccount cannot have subaccounts")
        made_at = time.strftime("%Y-%m-%d %I:%M %p", time.gmtime(self._clock.now() // 1_000_000))
        name = friendly_name(form) or f"SubAccount Created at {made_at}"
        made = await self._accounts.add_subaccount(call.account, name)
        reply = json_reply(201, _rendered(call, made))
        return laml.respelled(reply) if is_laml else reply

    async def fetch(self, call: Call) -> Reply:
        """The credentials' account, or a subaccount of it."""
        check_nothing_asked(call)
        reply = json_reply(200, _rendered(call, await self._named(call)))
        return reply if call.path["Sid"].startswith("AC") else laml.respelled(reply)

    async def update(self, call: Call) -> Reply:
        """Rename an account; suspend, reactivate or close a subaccount."""
        account = await self._named(call)
        if laml.is_spoken(call):
            laml.accept_json(call)
        form = call.form()
        form.allow(frozenset({"FriendlyName", "Status"}))
        name, status = friendly_name(form), _status(form)
        if name == "":
            raise Invalid(20002, "FriendlyName may not be empty", "FriendlyName")

        def updated(before: Account) -> Account:
            if status not in (None, before.status):
                _check_change(call.account, before)
            return replace(before, name=name or before.name, status=status or before.status)

        changed = await self._accounts.change(account.id, updated)
        if changed.status == "closed":
            self._numbers.forget()
        reply = json_reply(200, _rendered(call, changed))
        return reply if call.path["Sid"].startswith("AC") else laml.respelled(reply)

    async def _named(self, call: Call) -> Account:
        """The path's account, as the record has it now."""
        await check_manages(call.headers, self._accounts)
        named = ids.parse_sid(call.path["Sid"], ("AC",)) or ids.parse_uuid(call.path["Sid"])
        subaccount = None if named is None else await self._accounts.by_id(named)
        if subaccount is None or subaccount.owner_id != call.account.id:
            check_account(call, "Sid")
            return await self._accounts.fresh(call.account.id)
        return await self._accounts.fresh(subaccount.id)


def _check_change(caller: Account, account: Account) -> None:
    if account.owner_id != caller.id:
        raise Invalid(21477, "Only a subaccount's Status can be changed, and only by its owner", "Status")
    if account.status == "closed":
        raise Invalid(21479, "A closed subaccount stays closed", "Status")
    if caller.status != "active":
        raise Invalid(21476, "The Status of a subaccount cannot be changed while its owner is suspended", "Status")


def _rendered(call: Call, account: Account) -> dict[str, object]:
    """An account. Its token is told only to who authenticated with that very token, or its owner's: an API key must not
    learn it, and neither must the holder of one that was rotated away.
    """
    told = hmac.compare_digest(
        basic(call.headers)[1].encode("utf-8", "surrogateescape"), call.account.auth_token.reveal().encode()
    )
    return render.account(account, account.auth_token.reveal() if told else None)


def _status(form: Form) -> AccountStatus | None:
    text = form.one("Status")
    if not text:
        return None
    if text.lower() not in _STATUSES:
        raise Invalid(21475, f"Status must be one of {', '.join(_STATUSES)}", "Status")
    return _STATUSES[text.lower()]
