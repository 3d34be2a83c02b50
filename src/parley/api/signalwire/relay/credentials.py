"""Whose a Relay client's credentials are, and what it is told of that."""

from typing import Any, Final

from parley.api.signalwire.relay.frames import UNAUTHORIZED, RpcError
from parley.api.signalwire.relay.generations import NODE
from parley.core.accounts import Accounts
from parley.lib.ids import to_uuid
from parley.model.account import Account

_PERMISSION: Final = "messaging"
_REFUSED: Final = "Authentication service failed with status ProtocolError"


async def authenticated(accounts: Accounts, given: Any) -> Account:
    """Whose `{"project","token"}` is now, with the permission to message. Raises RpcError."""
    project, token = (given.get("project"), given.get("token")) if isinstance(given, dict) else (None, None)
    found = None
    if isinstance(project, str) and isinstance(token, str):
        found = await accounts.authenticate(project, token)
    if found is None or found.account.status == "test":
        raise unauthorized()
    if found.permissions is not None and _PERMISSION not in found.permissions:
        raise RpcError(UNAUTHORIZED, f"{_REFUSED}, 403 Forbidden: {{}}")
    return found.account


def unauthorized() -> RpcError:
    """The error by which clients know that their credentials are wrong."""
    return RpcError(UNAUTHORIZED, f"{_REFUSED}, 401 Unauthorized: {{}}")


def welcome(account: Account, id_: str, protocol: str, *, is_restored: bool) -> dict[str, Any]:
    """The result of `connect`, with what either generation reads of it. `id_` is the connection's."""
    return {
        "identity": f"{id_}@{NODE}",
        "sessionid": id_,
        "nodeid": NODE,
        "protocol": protocol,
        "authorization": authorization(account),
        "ice_servers": [],
        "session_restored": is_restored,
    }


def authorization(account: Account) -> dict[str, Any]:
    """What a client is told of its authorization. It names no `expires_at`: who is told one renews its token then, and
    these hold until they are revoked.
    """
    project_id = to_uuid(account.id)
    return {"project": project_id, "project_id": project_id, "signature": signature(account), "scopes": [_PERMISSION]}


def signature(account: Account) -> str:
    """What stands in the names of an account's sessions, too, or realtime-api does not come back to them."""
    return account.id.hex()
