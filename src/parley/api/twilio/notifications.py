"""Notifications: what went wrong with an account's webhooks, from the record of callbacks that were given up.

Source: twilio.com/docs/usage/api/notification (api v2010).
"""

import re
from typing import Any, Final
from urllib.parse import urlencode

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio import pages, render
from parley.api.twilio.parameters import choice, period
from parley.api.twilio.paths import check_account, check_nothing_asked, resource_id
from parley.lib.redaction import mask_url
from parley.model.callback import Callback
from parley.store import Engine, callbacks

_NOTIFICATION: Final = ("NO",)
_FILTERS: Final = pages.PARAMETERS | {"Log", "MessageDate", "MessageDate<", "MessageDate>"}
_ERROR: Final = "0"
_WARNING: Final = "1"
_FAILED: Final = "11200"
_CODE: Final = re.compile(r"\d{5}(?=[: ])", re.ASCII)


class Notifications:
    """The operations on notifications. All are errors: Parley keeps no warnings."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def list(self, call: Call) -> Reply:
        """A page of the account's notifications, newest first."""
        check_account(call)
        form = call.arguments()
        form.allow(_FILTERS)
        page = pages.page_of(form)
        created_from, created_before = period(form, "MessageDate")
        found: list[Callback] = []
        if choice(form, "Log", (_ERROR, _WARNING)) != _WARNING:
            found = await self._engine.read(
                callbacks.page,
                call.account.id,
                "gave_up",
                page.limit,
                page.after,
                backwards=page.backwards,
                skip=page.skip,
                created_from=created_from,
                created_before=created_before,
            )
        path = f"{render.account_path(call.account.id)}/Notifications.json"
        return pages.page_reply("notifications", path, form, page, found, lambda each: each.id, _notification)

    async def fetch(self, call: Call) -> Reply:
        """One notification. What was sent and answered is not kept, and left empty."""
        check_account(call)
        check_nothing_asked(call)
        found = await self._engine.read(callbacks.fetch, call.account.id, resource_id(call, _NOTIFICATION))
        if found is None or found.state != "gave_up":
            raise Fault("not_found")
        return json_reply(
            200, {**_notification(found), "request_variables": "", "response_headers": "", "response_body": ""}
        )


def _notification(callback: Callback) -> dict[str, Any]:
    sid = f"NO{callback.id.hex()}"
    outcome = callback.outcome or ""
    known = _CODE.match(outcome)
    code = known[0] if known else _FAILED
    return {
        "sid": sid,
        "account_sid": f"AC{callback.account_id.hex()}",
        "call_sid": None,
        "log": _ERROR,
        "error_code": code,
        "message_text": urlencode({"Msg": outcome, "ErrorCode": code, "LogLevel": "ERROR"}),
        "message_date": render.date(callback.created_at),
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "request_method": callback.method,
        "request_url": mask_url(callback.url),
        "api_version": render.VERSION,
        "date_created": render.date(callback.created_at),
        "date_updated": render.date(callback.finished_at or callback.created_at),
        "uri": f"{render.account_path(callback.account_id)}/Notifications/{sid}.json",
    }
