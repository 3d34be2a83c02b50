"""Callbacks by how they went, replaying them, and the hosts that are in trouble."""

from collections.abc import Callable
from typing import Any, Final, get_args

from parley.api.admin import named
from parley.api.admin.times import iso
from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.http.paging import Position, position, token, whole_number
from parley.lib import ids
from parley.lib.clock import Clock
from parley.lib.redaction import mask_url
from parley.model.callback import Callback, CallbackState
from parley.store import Engine, callbacks, messages
from parley.webhooks.hosts import Hosts, Trouble

_LIMIT: Final = 100
_MOST: Final = 1000
_STATES: Final[dict[str, CallbackState]] = {state: state for state in get_args(CallbackState)}


class CallbacksApi:
    """Handlers of /admin/callbacks, /admin/hosts and what is under a message's callbacks.

    `look` has this node look at once for what is due.
    """

    def __init__(self, engine: Engine, hosts: Hosts, clock: Clock, look: Callable[[], None]) -> None:
        self._engine = engine
        self._hosts = hosts
        self._clock = clock
        self._look = look

    async def list_callbacks(self, call: Call) -> Reply:
        """GET /admin/callbacks: the account's, newest first, of one `state` or one `message` where that is given."""
        asked = call.arguments()
        asked.allow(frozenset({"state", "message", "limit", "page_token"}))
        state, message, page_token = asked.one("state"), asked.one("message"), asked.one("page_token")
        if state and state not in _STATES:
            raise Fault("invalid_parameter", "state must be pending, delivered or gave_up", "state")
        limit = whole_number(asked.one("limit"), "limit", _LIMIT, 1, _MOST)
        after = position(page_token, name="page_token").id if page_token else None
        found = await self._engine.read(
            callbacks.page,
            call.account.id,
            _STATES[state] if state else None,
            limit + 1,
            after,
            named.message_id(message) if message else None,
        )
        shown = found[:limit]
        next_page = token(Position(shown[-1].id)) if len(found) > limit else None
        return json_reply(200, {"callbacks": [told(each) for each in shown], "next_page_token": next_page})

    async def replay(self, call: Call) -> Reply:
        """POST /admin/callbacks/{callback}/replay: owe it again, whatever became of it."""
        call.arguments().allow(frozenset())
        callback_id = ids.parse_uuid(call.path["callback"])
        if callback_id is None:
            raise Fault("not_found", "This is no callback's id")
        found = await self._engine.write(callbacks.replay, call.account.id, callback_id, self._clock.now())
        if found is None:
            raise Fault("not_found", "There is no such callback")
        self._look()
        return json_reply(200, told(found[0]))

    async def replay_message(self, call: Call) -> Reply:
        """POST /admin/messages/{message}/callbacks/replay: owe again what was given up of a message."""
        call.arguments().allow(frozenset())
        message_id = named.message_id(call.path["message"])
        if await self._engine.read(messages.fetch, call.account.id, message_id) is None:
            raise Fault("not_found", "There is no such message")
        now = self._clock.now()
        again = await self._engine.write(callbacks.replay_given_up, call.account.id, message_id, now)
        self._look()
        return json_reply(200, {"callbacks": [told(each) for each in again]})

    async def list_hosts(self, call: Call) -> Reply:
        """GET /admin/hosts: the hosts of the account's callbacks that are in trouble, as this node sees them."""
        call.arguments().allow(frozenset())
        return json_reply(200, {"hosts": [_host(each) for each in self._hosts.seen_by(call.account.id)]})


def told(callback: Callback) -> dict[str, Any]:
    """A callback with the message that it is of."""
    is_pending = callback.state == "pending"
    return {
        "callback_id": ids.to_uuid(callback.id),
        "message_id": ids.to_uuid(callback.message_id),
        "kind": callback.kind,
        "status": callback.status,
        "method": callback.method,
        "url": mask_url(callback.url),
        "state": callback.state,
        "attempts": callback.attempts,
        "outcome": callback.outcome,
        "created_at": iso(callback.created_at),
        "next_at": iso(callback.due_at) if is_pending else None,
        "finished_at": None if is_pending else iso(callback.finished_at),
    }


def _host(trouble: Trouble) -> dict[str, Any]:
    return {
        "host": trouble.host,
        "state": trouble.state,
        "failures": trouble.failures,
        "reason": trouble.reason,
        "since": iso(trouble.since),
        "until": iso(trouble.until),
        "parked": trouble.parked,
    }
