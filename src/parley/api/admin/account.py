"""Show and set what belongs to the account itself: its spellings, its signing key, its setting, its API keys."""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec.structs import replace

from parley.api.admin.problems import checked
from parley.api.admin.quiet_hours import GivenHours, checked_hours
from parley.api.admin.times import iso
from parley.api.http.credentials import check_manages, may_manage
from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.core.accounts import Accounts
from parley.core.quiet_hours import Quiet
from parley.lib import ids
from parley.model.account import Account, ApiKey, KeyKind
from parley.model.service import QuietHours

_MOST_NAME: Final = 64
"""Characters of an account's or a key's name, as in Twilio's API."""
_PRIVATE: Final = ((b"cache-control", b"no-store"),)


class _Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=_MOST_NAME)] | None = None
    opt_out_handling: Literal["number", "platform", "app"] | None = None
    quiet_hours: GivenHours | msgspec.UnsetType | None = msgspec.UNSET


class _NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(max_length=_MOST_NAME)] = ""
    kind: KeyKind = "standard"


class _Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class AccountApi:
    """Handlers of /admin/account and /admin/keys. They answer to the account's token and its main keys; a standard key
    may read what of the account is no secret.
    """

    def __init__(self, accounts: Accounts, quiet: Quiet) -> None:
        self._accounts = accounts
        self._quiet = quiet

    async def show(self, call: Call) -> Reply:
        """GET /admin/account: with the signing key, which its owner needs to check SignalWire-shaped webhooks, and the
        test credentials.
        """
        call.arguments().allow(frozenset())
        return await self._reply(call.account, knows_all=await may_manage(call.headers, self._accounts))

    async def change(self, call: Call) -> Reply:
        """PUT /admin/account: `name`, `opt_out_handling` (who honours STOP) and `quiet_hours` (null for none): see
        docs/extensions.md.
        """
        call.arguments().allow(frozenset())
        await check_manages(call.headers, self._accounts)
        given = checked(call.json(), _Given)
        if given.quiet_hours is not msgspec.UNSET:
            await self._quiet.set_for_account(call.account.id, checked_hours(given.quiet_hours))
        account = await self._accounts.change(
            call.account.id,
            lambda it: replace(
                it,
                name=it.name if given.name is None else given.name,
                opt_out_handling=given.opt_out_handling or it.opt_out_handling,
            ),
        )
        return await self._reply(account, knows_all=True)

    async def rotate(self, call: Call) -> Reply:
        """POST /admin/account/token: a new auth token, told this once. The former one authenticates for a day more."""
        call.arguments().allow(frozenset())
        await check_manages(call.headers, self._accounts)
        checked(call.json() if call.body else {}, _Nothing)
        rotated = await self._accounts.rotate(call.account)
        told = {
            "account_sid": ids.sid("AC", rotated.id),
            "auth_token": rotated.auth_token.reveal(),
            "former_valid_until": iso(rotated.previous_valid_until),
        }
        return json_reply(200, told, _PRIVATE)

    async def _reply(self, account: Account, *, knows_all: bool) -> Reply:
        shown = _shown(account, await self._quiet.of(account.id))
        double = self._accounts.test_double(account)
        secrets = {
            "signing_key": account.signing_key.reveal(),
            "test_account_sid": ids.sid("AC", double.id),
            "test_auth_token": double.auth_token.reveal(),
        }
        return json_reply(200, {**shown, **(secrets if knows_all else dict.fromkeys(secrets))}, _PRIVATE)

    async def list_keys(self, call: Call) -> Reply:
        """GET /admin/keys: without their secrets, which nobody knows any more."""
        call.arguments().allow(frozenset())
        await check_manages(call.headers, self._accounts)
        return json_reply(200, {"keys": [_key(key) for key in await self._accounts.keys_of(call.account.id)]})

    async def add_key(self, call: Call) -> Reply:
        """POST /admin/keys: 201 with the secret, which is told this once."""
        call.arguments().allow(frozenset())
        await check_manages(call.headers, self._accounts)
        given = checked(call.json() if call.body else {}, _NewKey)
        key, secret = await self._accounts.add_key(call.account.id, given.name, given.kind)
        return json_reply(201, {**_key(key), "secret": secret}, _PRIVATE)

    async def drop_key(self, call: Call) -> Reply:
        """DELETE /admin/keys/{key}: it authenticates nobody any more, on other nodes within a second."""
        call.arguments().allow(frozenset())
        await check_manages(call.headers, self._accounts)
        key_id = ids.parse_sid(call.path["key"], ("SK",))
        if key_id is None or not await self._accounts.drop_key(call.account.id, key_id):
            raise Fault("not_found")
        return NO_CONTENT


def _shown(account: Account, quiet_hours: QuietHours | None) -> dict[str, Any]:
    return {
        "account_sid": ids.sid("AC", account.id),
        "project_id": ids.to_uuid(account.id),
        "name": account.name,
        "status": account.status,
        "opt_out_handling": account.opt_out_handling,
        "quiet_hours": None if quiet_hours is None else msgspec.to_builtins(quiet_hours),
        "created_at": iso(account.created_at),
        "updated_at": iso(account.updated_at),
    }


def _key(key: ApiKey) -> dict[str, Any]:
    return {"sid": ids.sid("SK", key.id), "name": key.name, "kind": key.kind, "created_at": iso(key.created_at)}
