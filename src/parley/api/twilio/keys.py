"""API keys: Keys, and SigningKeys, which are the same keys under an older name.

Source: twilio.com/docs/iam/api-keys/key-resource-v2010.
"""

from typing import Any, Final

from parley.api.http.credentials import check_manages
from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio import pages, render
from parley.api.twilio.parameters import friendly_name
from parley.api.twilio.paths import check_account, check_nothing_asked, resource_id
from parley.core.accounts import Accounts
from parley.model.account import ApiKey

_KEY: Final = ("SK",)
_NAME: Final = frozenset({"FriendlyName"})


class Keys:
    """The operations on an account's keys, which a standard key has no part in. `name` is how the list is called in
    answers, and `path` in paths.
    """

    def __init__(self, accounts: Accounts, name: str, path: str) -> None:
        self._accounts = accounts
        self._name = name
        self.path = path

    async def list(self, call: Call) -> Reply:
        """A page of the account's keys, newest first."""
        await self._check(call)
        form = call.arguments()
        form.allow(pages.PARAMETERS)
        page = pages.page_of(form)
        found = await self._accounts.page_of_keys(
            call.account.id, page.limit, page.after, backwards=page.backwards, skip=page.skip
        )
        path = f"{render.account_path(call.account.id)}/{self.path}.json"
        return pages.page_reply(self._name, path, form, page, found, lambda key: key.id, _key)

    async def create(self, call: Call) -> Reply:
        """Make a standard key. Its secret is told this once."""
        await self._check(call)
        form = call.form()
        form.allow(_NAME)
        key, secret = await self._accounts.add_key(call.account.id, friendly_name(form) or "")
        return json_reply(201, {**_key(key), "secret": secret}, ((b"cache-control", b"no-store"),))

    async def fetch(self, call: Call) -> Reply:
        """One key, without its secret, which nobody knows any more."""
        check_nothing_asked(call)
        return json_reply(200, _key(await self._named(call)))

    async def update(self, call: Call) -> Reply:
        """Rename a key."""
        key = await self._named(call)
        form = call.form()
        form.allow(_NAME)
        name = friendly_name(form)
        if name is not None:
            key = await self._accounts.rename_key(call.account.id, key.id, name)
        return json_reply(200, _key(key))

    async def delete(self, call: Call) -> Reply:
        """Take a key away: it authenticates nobody any more, on other nodes within a second."""
        check_nothing_asked(call)
        key = await self._named(call)
        if not await self._accounts.drop_key(call.account.id, key.id):
            raise Fault("not_found")
        return NO_CONTENT

    async def _named(self, call: Call) -> ApiKey:
        await self._check(call)
        key = await self._accounts.key(resource_id(call, _KEY))
        if key is None or key.account_id != call.account.id:
            raise Fault("not_found")
        return key

    async def _check(self, call: Call) -> None:
        check_account(call)
        await check_manages(call.headers, self._accounts)


def _key(key: ApiKey) -> dict[str, Any]:
    return {
        "sid": f"SK{key.id.hex()}",
        "friendly_name": key.name,
        "date_created": render.date(key.created_at),
        "date_updated": render.date(key.updated_at),
    }
