"""Usage triggers: watch usage, and be told. Source: twilio.com/docs/usage/api/usage-trigger."""

import re
from collections.abc import Mapping
from typing import Any, Final, get_args

from msgspec.structs import replace
from starlette.routing import Route

from parley.api.http.credentials import Credentials
from parley.api.http.decode import Form
from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.twilio import pages, render
from parley.api.twilio.acting import Operations
from parley.api.twilio.money import dollars
from parley.api.twilio.parameters import choice, friendly_name, method
from parley.api.twilio.paths import check_account, check_nothing_asked, resource_id
from parley.api.twilio.problems import Invalid
from parley.api.twilio.urls import Urls
from parley.api.twilio.webhook_settings import given_url
from parley.core.accounts import Accounts
from parley.core.usage_triggers import Trigger, UsageTriggers
from parley.lib import ids
from parley.model.usage import CATEGORIES
from parley.model.usage_trigger import Field, Recurring, UsageTrigger

_TRIGGER: Final = ("UT",)
_CHANGES: Final = frozenset({"CallbackMethod", "CallbackUrl", "FriendlyName"})
_PARAMETERS: Final = _CHANGES | {"TriggerValue", "UsageCategory", "Recurring", "TriggerBy"}
_FILTERS: Final = pages.PARAMETERS | {"Recurring", "TriggerBy", "UsageCategory"}
_RECURRING: Final[dict[str, Recurring]] = {name: name for name in get_args(Recurring)}
_FIELDS: Final[dict[str, Field]] = {name: name for name in get_args(Field)}
_VALUE: Final = re.compile(r"([+ ]?)(\d{1,12})(?:\.(\d{1,6}))?", re.ASCII)
_MOST: Final = 1000
_RECORDS: Final[dict[Recurring, str]] = {
    "daily": "Today",
    "monthly": "ThisMonth",
    "yearly": "Yearly",
    "alltime": "AllTime",
}


class Triggers:
    """The operations on usage triggers."""

    def __init__(self, triggers: UsageTriggers, urls: Urls) -> None:
        self._triggers = triggers
        self._urls = urls

    async def list(self, call: Call) -> Reply:
        """A page of the account's triggers, newest first."""
        check_account(call)
        form = call.arguments()
        form.allow(_FILTERS)
        recurring, field = choice(form, "Recurring", _RECURRING), choice(form, "TriggerBy", _FIELDS)
        category = form.one("UsageCategory")
        page = pages.page_of(form)
        found = [
            each
            for each in reversed(await self._triggers.kept.family(call.account.id))
            if recurring in (None, each.value.recurring)
            and field in (None, each.value.field)
            and (not category or category == each.value.category)
        ]
        some = pages.cut(page, found, lambda each: each.id)
        current = await self._triggers.current(call.account.id, [each.value for each in some])
        shown = list(zip(some, current, strict=True))
        path = f"{render.account_path(call.account.id)}/Usage/Triggers.json"
        return pages.page_reply(
            "usage_triggers", path, form, page, shown, lambda one: one[0].id, lambda one: _rendered(*one)
        )

    async def create(self, call: Call) -> Reply:
        """Watch a category of usage from now on."""
        check_account(call)
        form = call.form()
        form.allow(_PARAMETERS)
        url = given_url(form, "CallbackUrl", self._urls)
        if not url:
            raise Invalid(20001, "A CallbackUrl is required", "CallbackUrl")
        category = form.one("UsageCategory")
        if category not in CATEGORIES:
            raise Invalid(20001, "UsageCategory must be a category that is counted here", "UsageCategory")
        if await self._triggers.kept.count(call.account.id) >= _MOST:
            raise Invalid(20001, f"An account may have no more than {_MOST} triggers")
        wanted = UsageTrigger(
            friendly_name(form) or "",
            category,
            _FIELDS[choice(form, "TriggerBy", _FIELDS) or "usage"],
            _RECURRING[choice(form, "Recurring", _RECURRING) or "alltime"],
            0,
            url,
            method(form, "CallbackMethod") or "POST",
        )
        value, is_offset = _value(form)
        [current] = await self._triggers.current(call.account.id, [wanted])
        made = await self._triggers.add(call.account.id, replace(wanted, value=value + current * is_offset))
        return json_reply(201, _rendered(made, current))

    async def fetch(self, call: Call) -> Reply:
        """One trigger."""
        check_account(call)
        check_nothing_asked(call)
        return await self._reply(await self._triggers.kept.fetch(call.account.id, resource_id(call, _TRIGGER)))

    async def update(self, call: Call) -> Reply:
        """Rename a trigger, or tell somebody else."""
        check_account(call)
        form = call.form()
        form.allow(_CHANGES)
        name, url, verb = (
            friendly_name(form),
            given_url(form, "CallbackUrl", self._urls),
            method(form, "CallbackMethod"),
        )

        def change(before: Trigger) -> Trigger:
            value = before.value
            changed = replace(
                value,
                friendly_name=value.friendly_name if name is None else name,
                callback_url=url or value.callback_url,
                callback_method=verb or value.callback_method,
            )
            return replace(before, value=changed)

        trigger_id = resource_id(call, _TRIGGER)
        return await self._reply(await self._triggers.kept.change(call.account.id, trigger_id, change))

    async def delete(self, call: Call) -> Reply:
        """Watch no more."""
        check_account(call)
        check_nothing_asked(call)
        await self._triggers.kept.drop(call.account.id, resource_id(call, _TRIGGER))
        return NO_CONTENT

    async def _reply(self, trigger: Trigger) -> Reply:
        [current] = await self._triggers.current(trigger.account_id, [trigger.value])
        return json_reply(200, _rendered(trigger, current))


def told(trigger: Trigger, current: int) -> Mapping[str, str]:
    """What the callback of a trigger says that has just fired."""
    watched = trigger.value
    fired_at = watched.fired_at or trigger.updated_at
    return {
        "AccountSid": f"AC{trigger.account_id.hex()}",
        "UsageTriggerSid": _sid(trigger),
        "Recurring": watched.recurring,
        "UsageCategory": watched.category,
        "TriggerBy": watched.field,
        "TriggerValue": dollars(watched.value),
        "CurrentValue": dollars(current),
        "UsageRecordUri": _record_uri(trigger),
        "DateFired": render.date(fired_at),
        "IdempotencyToken": f"{ids.to_uuid(trigger.id)}-{fired_at}",
    }


def _value(form: Form) -> tuple[int, bool]:
    """TriggerValue in millionths, and whether it is an offset from the present value. Raises Invalid."""
    found = _VALUE.fullmatch(form.one("TriggerValue") or "")  # a plus sign that was not escaped arrives as a space
    if found is None:
        raise Invalid(
            20001, "TriggerValue must be a number such as 1000 or 9.95, or an offset such as +30", "TriggerValue"
        )
    return int(found[2]) * 1_000_000 + int((found[3] or "").ljust(6, "0")), bool(found[1])


def _rendered(trigger: Trigger, current: int) -> dict[str, Any]:
    watched = trigger.value
    return {
        "sid": _sid(trigger),
        "account_sid": f"AC{trigger.account_id.hex()}",
        "api_version": render.VERSION,
        "friendly_name": watched.friendly_name,
        "usage_category": watched.category,
        "trigger_by": watched.field,
        "trigger_value": dollars(watched.value),
        "current_value": dollars(current),
        "recurring": watched.recurring,
        "callback_url": watched.callback_url,
        "callback_method": watched.callback_method,
        "date_created": render.date(trigger.created_at),
        "date_updated": render.date(trigger.updated_at),
        "date_fired": None if watched.fired_at is None else render.date(watched.fired_at),
        "usage_record_uri": _record_uri(trigger),
        "uri": f"{render.account_path(trigger.account_id)}/Usage/Triggers/{_sid(trigger)}.json",
    }


def _sid(trigger: Trigger) -> str:
    return f"UT{trigger.id.hex()}"


def _record_uri(trigger: Trigger) -> str:
    records = f"{render.account_path(trigger.account_id)}/Usage/Records"
    return f"{records}/{_RECORDS[trigger.value.recurring]}.json?Category={trigger.value.category}"


def routes(triggers: UsageTriggers, urls: Urls, accounts: Accounts, credentials: Credentials) -> list[Route]:
    """Every operation on usage triggers."""
    operations = Triggers(triggers, urls)
    route = Operations(accounts, credentials).route
    every, one = "/Usage/Triggers.json", "/Usage/Triggers/{Sid}.json"
    return [
        route("GET", every, operations.list),
        route("POST", every, operations.create),
        route("GET", one, operations.fetch),
        route("POST", one, operations.update),
        route("DELETE", one, operations.delete),
    ]
