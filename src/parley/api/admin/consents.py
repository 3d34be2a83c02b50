"""Who wants nothing more from whom: read it, change it, take it elsewhere. Ours: neither dialect tells this by API."""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final, Literal

import msgspec

from parley.api.admin import consent_lines
from parley.api.admin.consent_lines import recipient_of, sender_of
from parley.api.admin.problems import checked
from parley.api.admin.times import iso
from parley.api.http.credentials import basic
from parley.api.http.decode import Form
from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.http.paging import whole_number
from parley.lib import ids
from parley.lib.clock import Clock
from parley.model.consent import MOST_KEYWORD, ConsentChange, OptOut, Source
from parley.store import Engine, opt_outs

_LIMIT: Final = 100
_MOST: Final = 1000
_HISTORY: Final = 1000
_FILTERS: Final = frozenset({"sender", "recipient", "limit", "page_token"})

Pair = tuple[str, str]


class _Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keyword: Annotated[str, msgspec.Meta(max_length=MOST_KEYWORD)] = ""


class ConsentsApi:
    """Handlers of /admin/consents. A sender is a number, or a whole messaging service by its SID."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def list_consents(self, call: Call) -> Reply:
        """GET /admin/consents: the opt-outs that stand, by sender and recipient."""
        asked = call.arguments()
        asked.allow(_FILTERS)
        limit = whole_number(asked.one("limit"), "limit", _LIMIT, 1, _MOST)
        page_token = asked.one("page_token")
        after = _position(page_token) if page_token else None
        found = await self._engine.read(opt_outs.page, call.account.id, limit + 1, after, **_wanted(asked))
        shown = found[:limit]
        next_page = _token(shown[-1]) if len(found) > limit else None
        return json_reply(200, {"consents": [_shown(each) for each in shown], "next_page_token": next_page})

    async def show(self, call: Call) -> Reply:
        """GET /admin/consents/{sender}/{recipient}: what stands between the two, and each word that was said of it."""
        call.arguments().allow(frozenset())
        return json_reply(200, await self._whole(call, *_pair(call)))

    async def put(self, call: Call) -> Reply:
        """PUT /admin/consents/{sender}/{recipient}: the recipient wants nothing more from the sender."""
        call.arguments().allow(frozenset())
        given = checked(call.json() if call.body else {}, _Given)
        sender, recipient = _pair(call)
        await self._engine.write(
            opt_outs.apply, [self._change(call, sender, recipient, "opt_out", given.keyword.strip().upper())]
        )
        return json_reply(200, await self._whole(call, sender, recipient))

    async def drop(self, call: Call) -> Reply:
        """DELETE /admin/consents/{sender}/{recipient}: the recipient takes messages from the sender again."""
        call.arguments().allow(frozenset())
        if not await self._engine.write(opt_outs.lift, self._change(call, *_pair(call), "opt_in")):
            raise Fault("not_found", "This recipient has not opted out of this sender")
        return NO_CONTENT

    async def take(self, call: Call) -> Reply:
        """POST /admin/consents/import: opt-outs as CSV or JSON lines, all of them or, where a line is wrong, none."""
        call.arguments().allow(frozenset())
        kind = (call.header(b"content-type") or "").partition(";")[0].strip().lower()
        lines = await asyncio.to_thread(consent_lines.read, call.body, kind)
        changes = [
            self._change(call, line.sender, line.recipient, "opt_out", line.keyword, "import", line.at)
            for line in lines
        ]
        await self._engine.write(opt_outs.apply, changes)
        return json_reply(200, {"imported": len(changes)})

    async def give(self, call: Call) -> Reply:
        """GET /admin/consents/export: the opt-outs that stand as CSV, which an import takes."""
        asked = call.arguments()
        asked.allow(frozenset({"sender", "recipient"}))
        lines = self._lines(call.account.id, _wanted(asked))
        headers = ((b"content-disposition", b'attachment; filename="consents.csv"'),)
        return Reply(200, await anext(lines), b"text/csv; charset=utf-8", headers, rest=lines)

    async def _lines(self, account_id: bytes, wanted: dict[str, str]) -> AsyncIterator[bytes]:
        after: Pair | None = None
        yield consent_lines.HEADER
        while found := await self._engine.read(opt_outs.page, account_id, _MOST, after, **wanted):
            yield consent_lines.written(found)
            after = (found[-1].sender, found[-1].recipient)

    async def _whole(self, call: Call, sender: str, recipient: str) -> dict[str, Any]:
        stands = await self._engine.read(opt_outs.is_out, call.account.id, sender, recipient)
        said = await self._engine.read(opt_outs.history, call.account.id, sender, recipient, _HISTORY)
        return {
            "sender": sender,
            "recipient": recipient,
            "opted_out": stands is not None,
            "opted_out_at": iso(stands.created_at) if stands is not None else None,
            "history": [_told(change) for change in said],
        }

    def _change(
        self,
        call: Call,
        sender: str,
        recipient: str,
        kind: Literal["opt_out", "opt_in"],
        keyword: str = "",
        source: Source = "api",
        at: int | None = None,
    ) -> ConsentChange:
        at = self._clock.now() if at is None else at
        return ConsentChange(call.account.id, sender, recipient, at, kind, keyword, source, basic(call.headers)[0])


def _pair(call: Call) -> Pair:
    return sender_of(call.path["sender"]), recipient_of(call.path["recipient"])


def _wanted(asked: Form) -> dict[str, str]:
    wanted: dict[str, str] = {}
    if sender := asked.one("sender"):
        wanted["sender"] = sender_of(sender)
    if recipient := asked.one("recipient"):
        wanted["recipient"] = recipient_of(recipient)
    return wanted


def _shown(opt_out: OptOut) -> dict[str, Any]:
    return {
        "sender": opt_out.sender,
        "recipient": opt_out.recipient,
        "keyword": opt_out.keyword or None,
        "source": opt_out.source,
        "opted_out_at": iso(opt_out.created_at),
    }


def _told(change: ConsentChange) -> dict[str, Any]:
    return {
        "at": iso(change.at),
        "change": change.kind,
        "keyword": change.keyword or None,
        "source": change.source,
        "by": change.said_by,
        "message_id": ids.to_uuid(change.message_id) if change.message_id is not None else None,
    }


def _token(last: OptOut) -> str:
    return urlsafe_b64encode(f"{last.sender}\n{last.recipient}".encode()).decode().rstrip("=")


def _position(token: str) -> Pair:
    try:
        sender, _, recipient = urlsafe_b64decode(f"{token}==").decode().partition("\n")
    except (Base64Error, ValueError):
        sender = recipient = ""
    if not sender or not recipient or "\0" in sender + recipient:
        raise Fault("invalid_parameter", "page_token is not one that this server gave", "page_token")
    return sender, recipient
