"""Notifications: what went wrong with an account's webhooks, from the notes on its inbound messages and the record of
callbacks that were given up.

Source: twilio.com/docs/usage/api/notification (api v2010).
"""

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio import pages, render
from parley.api.twilio.parameters import choice, period
from parley.api.twilio.paths import check_account, check_nothing_asked, resource_id
from parley.lib.redaction import mask_url
from parley.model.callback import Callback
from parley.store import Engine, callbacks, webhook_faults
from parley.store.webhook_faults import WebhookFault

_NOTIFICATION: Final = ("NO",)
_FILTERS: Final = pages.PARAMETERS | {"Log", "MessageDate", "MessageDate<", "MessageDate>"}
_ERROR: Final = "0"
_WARNING: Final = "1"
_MOST_SKIPPED: Final = 10_000
"""Notifications before a page that is asked for by number alone: what leads deeper is a token."""
_HTTP_ERROR: Final = "11217"
_UNREACHED: Final = "11205"
_FAILED: Final = "11200"
_CODE: Final = re.compile(r"\d{5}(?=[: ])", re.ASCII)

_Noted = Callback | WebhookFault


class Notifications:
    """The operations on notifications."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def list(self, call: Call) -> Reply:
        """A page of the account's notifications, newest first."""
        check_account(call)
        form = call.arguments()
        form.allow(_FILTERS)
        page = pages.page_of(form)
        if page.skip > _MOST_SKIPPED:
            raise Fault("invalid_parameter", f"Page leads beyond {_MOST_SKIPPED} notifications; follow next_page_uri")
        created = period(form, "MessageDate")
        noted = await self._noted(call.account.id, page, *created, choice(form, "Log", (_ERROR, _WARNING)))
        path = f"{render.account_path(call.account.id)}/Notifications.json"
        found = pages.cut(page, noted, lambda each: each.id)
        return pages.page_reply("notifications", path, form, page, found, lambda each: each.id, _notification)

    async def _noted(
        self,
        account_id: bytes,
        page: pages.Page,
        created_from: int | None,
        created_before: int | None,
        log: str | None,
    ) -> Sequence[_Noted]:
        """What a page may show, and what comes before it where only its number is known, newest first."""
        most = page.skip + page.limit
        faults = await self._engine.read(
            webhook_faults.page,
            account_id,
            most,
            page.after,
            backwards=page.backwards,
            created_from=created_from,
            created_before=created_before,
            warnings=None if log is None else log == _WARNING,
        )
        if log == _WARNING:
            return faults
        given_up = await self._engine.read(
            callbacks.page,
            account_id,
            "gave_up",
            most,
            page.after,
            backwards=page.backwards,
            created_from=created_from,
            created_before=created_before,
            but_noted=True,
        )
        noted: Sequence[_Noted] = [*faults, *given_up]
        return sorted(noted, key=lambda each: each.id, reverse=True)

    async def fetch(self, call: Call) -> Reply:
        """One notification. What was sent and answered is not kept, and left empty."""
        check_account(call)
        check_nothing_asked(call)
        asked = (call.account.id, resource_id(call, _NOTIFICATION))
        found: _Noted | None = await self._engine.read(webhook_faults.fetch, *asked)
        if found is None:
            found = await self._engine.read(callbacks.fetch, *asked)
        if found is None or (isinstance(found, Callback) and found.state != "gave_up"):
            raise Fault("not_found")
        return json_reply(
            200, {**_notification(found), "request_variables": "", "response_headers": "", "response_body": ""}
        )


def _notification(noted: _Noted) -> dict[str, Any]:
    sid = f"NO{noted.id.hex()}"
    if isinstance(noted, Callback):
        text, url = noted.outcome or "", mask_url(noted.url)
        code = _code(text)
        began_at, ended_at = noted.created_at, noted.finished_at or noted.created_at
    else:
        text, url, code = noted.reason, noted.url, str(noted.code)
        began_at = ended_at = noted.at
    is_warning = code == str(webhook_faults.WARNING)
    return {
        "sid": sid,
        "account_sid": f"AC{noted.account_id.hex()}",
        "call_sid": None,
        "log": _WARNING if is_warning else _ERROR,
        "error_code": code,
        "message_text": urlencode({"Msg": text, "ErrorCode": code, "LogLevel": "WARN" if is_warning else "ERROR"}),
        "message_date": render.date(began_at),
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "request_method": noted.method,
        "request_url": url,
        "api_version": render.VERSION,
        "date_created": render.date(began_at),
        "date_updated": render.date(ended_at),
        "uri": f"{render.account_path(noted.account_id)}/Notifications/{sid}.json",
    }


def _code(outcome: str) -> str:
    """Twilio's number of what became of a callback; what is told of an attempt begins with it, or with its status."""
    if known := _CODE.match(outcome):
        return known[0]
    if outcome.startswith("HTTP "):
        return _HTTP_ERROR
    return _UNREACHED if outcome.startswith("its host was not reached") else _FAILED
