"""Projects, which are accounts, and the tokens that act for them. Source: SignalWire's projects and tokens pages."""

from typing import Any, Final, cast

from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.signalwire import pages, shapes
from parley.api.signalwire.fields import Fields, nothing_asked
from parley.api.signalwire.paths import path_id
from parley.core.accounts import Accounts
from parley.lib.ids import to_uuid
from parley.model.account import Account
from parley.model.resource import Resource
from parley.model.token import PERMISSIONS, Permission, Token

PROJECTS: Final = "/api/projects"
TOKENS: Final = "/api/project/tokens"
FILTERS: Final = pages.PARAMETERS | {"name"}
TOKEN: Final = frozenset({"name", "permissions", "subproject_id"})
TOKEN_CHANGE: Final = frozenset({"name", "permissions"})


class Projects:
    """The operations on the credentials' project and its subprojects. One that was closed is there no more."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def list(self, call: Call) -> Reply:
        """GET: newest first; `name` is the whole name."""
        arguments = call.arguments()
        pages.allow(arguments, FILTERS)
        account_id, name = call.account.id, arguments.one("name") or None
        page = await pages.turn(
            PROJECTS,
            arguments,
            lambda limit, after, backwards: self._accounts.page(
                account_id, limit, after, backwards=backwards, name=name, but_status="closed"
            ),
        )
        return json_reply(200, {"links": page.links, "data": [project_body(account) for account in page.items]})

    async def fetch(self, call: Call) -> Reply:
        """GET of one project."""
        pages.allow(call.arguments())
        return json_reply(200, project_body(await self._account(call)))

    async def rotate_signing_key(self, call: Call) -> Reply:
        """POST: a new signing key, told only now. Webhooks are signed with it after a minute."""
        nothing_asked(call)
        account = await self._account(call)
        changed, key = await self._accounts.rotate_signing_key(account)
        return json_reply(200, {**project_body(changed), "signing_key": key.reveal()})

    async def _account(self, call: Call) -> Account:
        account = await self._accounts.by_id(path_id(call))
        if account is None or not _is_among(call, account):
            raise Fault("not_found")
        return account


class TokensApi:
    """The operations on tokens: the project's own, and those of its subprojects."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._tokens = accounts.tokens

    async def create(self, call: Call) -> Reply:
        """POST: make a token, of the project or a subproject."""
        fields = Fields(call.json(), TOKEN)
        name, permissions = fields.required("name", most=255), _permissions(fields, is_required=True)
        of = fields.id("subproject_id")
        owner = call.account if of is None else await self._accounts.by_id(of)
        if owner is None or not _is_among(call, owner):
            fields.refuse("invalid_parameter", "subproject_id is not a subproject of this project", "subproject_id")
        fields.check()
        assert owner is not None
        return json_reply(200, self._body(await self._tokens.add(owner.id, name, permissions)))

    async def update(self, call: Call) -> Reply:
        """PATCH: another name, or other permissions."""
        fields = Fields(call.json(), TOKEN_CHANGE)
        name = fields.text("name", most=255)
        permissions = _permissions(fields, is_required=fields.given("permissions") is not None)
        fields.check()
        changed = await self._tokens.change(await self._holder(call), path_id(call), name, permissions or None)
        return json_reply(200, self._body(changed))

    async def delete(self, call: Call) -> Reply:
        """DELETE: the token opens nothing any more."""
        pages.allow(call.arguments())
        await self._tokens.drop(await self._holder(call), path_id(call))
        return NO_CONTENT

    async def _holder(self, call: Call) -> bytes:
        holder = await self._tokens.holder(await self._accounts.family(call.account.id), path_id(call))
        account = await self._accounts.by_id(holder)
        if account is None or not _is_among(call, account):
            raise Fault("not_found")
        return holder

    def _body(self, token: Resource[Token]) -> dict[str, Any]:
        return {
            "id": to_uuid(token.id),
            "name": token.value.name,
            "permissions": token.value.permissions,
            "token": self._tokens.spelled(token),
        }


def project_body(account: Account) -> dict[str, Any]:
    """A project in SignalWire's shape. Media links are unguessable here, and calls are not recorded."""
    return {
        "id": to_uuid(account.id),
        "name": account.name,
        "parent_project_id": None if account.owner_id is None else to_uuid(account.owner_id),
        "subproject": account.owner_id is not None,
        "region_preference": "us",
        "protect_recordings": False,
        "protect_message_media": False,
        "protect_fax_media": False,
        "force_https_requests": False,
        "created_at": shapes.at(account.created_at),
        "updated_at": shapes.at(account.updated_at),
    }


def _is_among(call: Call, account: Account) -> bool:
    """Whether an account is the credentials' project or a subproject of it, and not closed."""
    return call.account.id in (account.id, account.owner_id) and account.status != "closed"


def _permissions(fields: Fields, *, is_required: bool) -> tuple[Permission, ...]:
    given = fields.texts("permissions", is_required=is_required)
    if unknown := [each for each in given if each not in PERMISSIONS]:
        rule = f"permissions are among {', '.join(PERMISSIONS)}, not {unknown[0][:40]}"
        fields.refuse("invalid_parameter", rule, "permissions")
    return cast("tuple[Permission, ...]", tuple(dict.fromkeys(given)))
