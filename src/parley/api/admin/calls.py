"""Simulated calls: have a phone call a number, and read what happened in a call."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from starlette.routing import Route

from parley.api.admin.phones import phone_of
from parley.api.admin.problems import checked, explain
from parley.api.admin.times import iso, seconds
from parley.api.http.credentials import Credentials
from parley.api.http.endpoint import Call as Asked
from parley.api.http.endpoint import Endpoint, Reply, json_reply
from parley.api.http.fault import Fault
from parley.lib import ids
from parley.model.account import Account
from parley.model.call import Dial, Placed
from parley.webhooks.render import UnreadableAnswer

Ring = Callable[[Account, Dial], Awaitable[Placed]]
Find = Callable[[bytes, bytes, float], Awaitable[Placed | None]]
OfPhone = Callable[[bytes, str], Awaitable[list[Placed]]]

_USUAL_WAIT_S: Final = 10.0
_ASKED: Final = frozenset({"wait"})
_BODY: Final = 256 * 1024
_DIGITS: Final = re.compile(r"[0-9*#A-Dw]{0,1000}", re.ASCII)


class _Rung(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    to: str
    swml: str | dict[str, Any] | None = None
    url: str | None = None
    digits: str = ""


class CallsApi:
    """Handlers of the paths of calls under /simulator."""

    def __init__(self, ring: Ring, find: Find, of_phone: OfPhone) -> None:
        self._ring = ring
        self._find = find
        self._of_phone = of_phone

    async def place(self, asked: Asked) -> Reply:
        """POST /simulator/phones/{phone}/calls: the phone calls a number. The call, which is durable: once it is over,
        or has gone on for `wait` seconds, ten unless given.
        """
        phone = phone_of(asked.path)
        wait_s = _wait_s(asked, _USUAL_WAIT_S)
        given = checked(asked.json(), _Rung)
        if given.swml is not None and given.url is not None:
            raise Fault("invalid_parameter", "swml and url exclude each other", "url")
        if not _DIGITS.fullmatch(given.digits):
            raise Fault("invalid_parameter", "digits are 0 to 9, * # A to D, and w for a pause", "digits")
        dial = Dial(
            direction="inbound",
            sender=phone,
            recipient=given.to,
            swml=given.swml,
            url=given.url,
            digits=given.digits,
        )
        try:
            placed = await self._ring(asked.account, dial)
        except UnreadableAnswer as error:
            raise Fault("invalid_parameter", error.reason, "swml") from None
        return json_reply(201, shown(await self._find(asked.account.id, placed.id, wait_s) or placed))

    async def list(self, asked: Asked) -> Reply:
        """GET /simulator/phones/{phone}/calls: the account's calls from and to a phone, the newest first."""
        asked.arguments().allow(frozenset())
        found = await self._of_phone(asked.account.id, phone_of(asked.path))
        return json_reply(200, {"calls": [shown(placed) for placed in found]})

    async def show(self, asked: Asked) -> Reply:
        """GET /simulator/calls/{call}: what happened in a call up to now, whichever API placed it; `wait` waits for its
        end.
        """
        wait_s = _wait_s(asked, 0.0)
        call_id = ids.parse_uuid(asked.path["call"])
        placed = None if call_id is None else await self._find(asked.account.id, call_id, wait_s)
        if placed is None:
            raise Fault("not_found", "There is no such call")
        return json_reply(200, shown(placed))


def routes(credentials: Credentials, calls: CallsApi) -> list[Route]:
    """Every route, one a path and method."""
    place = Endpoint(calls.place, credentials, explain, _BODY, patience_s=None)
    return [
        Route("/simulator/phones/{phone}/calls", place, methods=["POST"]),
        Route("/simulator/phones/{phone}/calls", Endpoint(calls.list, credentials, explain), methods=["GET"]),
        Route("/simulator/calls/{call}", Endpoint(calls.show, credentials, explain, patience_s=None), methods=["GET"]),
    ]


def _wait_s(asked: Asked, usual_s: float) -> float:
    given = asked.arguments()
    given.allow(_ASKED)
    return usual_s if given.one("wait") is None else seconds(given.one("wait"))


def shown(placed: Placed) -> dict[str, Any]:
    """A call with its transcript as far as it has come."""
    call = placed.call
    return {
        "call_id": ids.to_uuid(placed.id),
        "direction": call.direction,
        "from": call.sender,
        "to": call.recipient,
        "status": call.status,
        "started_at": iso(call.started_at),
        "ended_at": iso(call.ended_at),
        "transcript": call.transcript,
    }
