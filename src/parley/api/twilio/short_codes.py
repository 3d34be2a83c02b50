"""The short codes that an account owns. Source: twilio.com/docs/messaging/api/short-codes-resource."""

from typing import Any, Final

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio import pages, render
from parley.api.twilio.number_settings import NumberSettings
from parley.api.twilio.paths import check_account, check_nothing_asked, resource_id
from parley.core.numbers import Numbers
from parley.model.number import Number
from parley.store import Engine, numbers

_SHORT_CODE: Final = ("SC",)
_FILTERS: Final = pages.PARAMETERS | {"FriendlyName", "ShortCode"}
_PARAMETERS: Final = frozenset(
    {"ApiVersion", "FriendlyName", "SmsFallbackMethod", "SmsFallbackUrl", "SmsMethod", "SmsUrl"}
)


class ShortCodes:
    """The operations on short codes. Operators bring them, or, in the dev profile, their first use."""

    def __init__(self, engine: Engine, numbers: Numbers, settings: NumberSettings) -> None:
        self._engine = engine
        self._numbers = numbers
        self._settings = settings

    async def list(self, call: Call) -> Reply:
        """A page of the account's short codes, newest first."""
        check_account(call)
        form = call.arguments()
        form.allow(_FILTERS)
        page = pages.page_of(form)
        found = await self._engine.read(
            numbers.page,
            call.account.id,
            page.limit,
            page.after,
            backwards=page.backwards,
            skip=page.skip,
            contains=form.one("ShortCode") or None,
            name=form.one("FriendlyName") or None,
            is_short=True,
        )
        path = f"{render.account_path(call.account.id)}/SMS/ShortCodes.json"
        return pages.page_reply("short_codes", path, form, page, found, lambda number: number.id, _short_code)

    async def fetch(self, call: Call) -> Reply:
        """One short code."""
        check_nothing_asked(call)
        return json_reply(200, _short_code(await self._named(call)))

    async def update(self, call: Call) -> Reply:
        """Configure a short code. What is not given stays as it is."""
        number = await self._named(call)
        form = call.form()
        form.allow(_PARAMETERS)
        wanted = await self._settings.applied(call, number, form)
        return json_reply(200, _short_code(await self._numbers.change(number, wanted)))

    async def _named(self, call: Call) -> Number:
        check_account(call)
        number = await self._numbers.fetch(call.account.id, resource_id(call, _SHORT_CODE))
        if number is None or number.address.startswith("+"):
            raise Fault("not_found")
        return number


def _short_code(number: Number) -> dict[str, Any]:
    sid = f"SC{number.id.hex()}"
    return {
        "sid": sid,
        "account_sid": f"AC{number.account_id.hex()}",
        "friendly_name": number.name,
        "short_code": number.address,
        "sms_url": number.request_url or "",
        "sms_method": number.request_method,
        "sms_fallback_url": number.fallback_url or "",
        "sms_fallback_method": number.fallback_method,
        "api_version": render.VERSION,
        "date_created": render.date(number.created_at),
        "date_updated": render.date(number.updated_at),
        "uri": f"{render.account_path(number.account_id)}/SMS/ShortCodes/{sid}.json",
    }
