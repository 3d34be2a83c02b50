"""Where an account's own resources are served: accounts, keys, numbers, applications, caller ids, notifications."""

from collections.abc import Callable

from starlette.routing import Route

from parley.api.http.credentials import Credentials
from parley.api.http.endpoint import Endpoint, Handler
from parley.api.twilio import render
from parley.api.twilio.accounts import AccountsApi
from parley.api.twilio.acting import Operations
from parley.api.twilio.applications import Applications
from parley.api.twilio.available_numbers import AvailableNumbers
from parley.api.twilio.caller_ids import CallerIds
from parley.api.twilio.incoming_phone_numbers import KINDS, IncomingPhoneNumbers
from parley.api.twilio.keys import Keys
from parley.api.twilio.notifications import Notifications
from parley.api.twilio.number_settings import NumberSettings
from parley.api.twilio.problems import explain
from parley.api.twilio.short_codes import ShortCodes
from parley.api.twilio.urls import Urls
from parley.core.accounts import Accounts
from parley.core.inventory import Inventory
from parley.core.numbers import Numbers
from parley.core.resources import Resources
from parley.lib.clock import Clock
from parley.lib.ids import Ids
from parley.model.application import Application
from parley.model.caller_id import CallerId
from parley.store import Engine
from parley.webhooks.guard import Guard


def routes(
    *,
    engine: Engine,
    credentials: Credentials,
    accounts: Accounts,
    numbers: Numbers,
    applications: Resources[Application],
    caller_ids: Resources[CallerId],
    guard: Guard,
    clock: Clock,
    ids: Ids,
    code: Callable[[], str],
    is_dev: bool,
) -> list[Route]:
    """Every operation of these resources. In the dev profile any number that nobody owns can be bought, and every phone
    that is to be verified answers. `code` makes the validation code that it hears.
    """
    settings = NumberSettings(Urls(guard), applications)
    operations = Operations(accounts, credentials.needing("numbers"))
    route = operations.route
    return [
        *_of_accounts(AccountsApi(accounts, numbers, clock), credentials.and_suspended()),
        *_of_keys(route, Keys(accounts, "keys", "Keys")),
        *_of_keys(route, Keys(accounts, "signing_keys", "SigningKeys")),
        *_of_numbers(operations, IncomingPhoneNumbers(engine, numbers, Inventory(engine), settings, sells_any=is_dev)),
        *_of_sale(route, AvailableNumbers(Inventory(engine))),
        *_of_applications(route, Applications(applications, numbers, Urls(guard))),
        *_of_short_codes(route, ShortCodes(engine, numbers, settings)),
        *_of_caller_ids(route, CallerIds(caller_ids, ids, code, answers=is_dev)),
        *_of_notifications(route, Notifications(engine)),
    ]


_Route = Callable[[str, str, Handler], Route]


def _of_accounts(accounts: AccountsApi, credentials: Credentials) -> list[Route]:
    every, one = f"/{render.VERSION}/Accounts.json", f"/{render.VERSION}/Accounts/{{Sid}}.json"

    def route(method: str, path: str, handler: Handler) -> Route:
        return Route(path, Endpoint(handler, credentials, explain), methods=[method])

    return [
        route("GET", every, accounts.list),
        route("POST", every, accounts.create),
        route("GET", one, accounts.fetch),
        route("POST", one, accounts.update),
    ]


def _of_keys(route: _Route, keys: Keys) -> list[Route]:
    return [
        route("GET", f"/{keys.path}.json", keys.list),
        route("POST", f"/{keys.path}.json", keys.create),
        route("GET", f"/{keys.path}/{{Sid}}.json", keys.fetch),
        route("POST", f"/{keys.path}/{{Sid}}.json", keys.update),
        route("DELETE", f"/{keys.path}/{{Sid}}.json", keys.delete),
    ]


def _of_numbers(operations: Operations, owned: IncomingPhoneNumbers) -> list[Route]:
    route, path = operations.route, "/IncomingPhoneNumbers"
    return [
        route("GET", f"{path}.json", owned.list),
        route("POST", f"{path}.json", owned.create, for_test=True),
        *(route("GET", f"{path}/{name}.json", owned.list_of(kind)) for kind, name in KINDS.items()),
        *(route("POST", f"{path}/{name}.json", owned.create_of(kind)) for kind, name in KINDS.items()),
        route("GET", f"{path}/{{Sid}}.json", owned.fetch),
        route("POST", f"{path}/{{Sid}}.json", owned.update),
        route("DELETE", f"{path}/{{Sid}}.json", owned.delete),
    ]


def _of_sale(route: _Route, available: AvailableNumbers) -> list[Route]:
    path = "/AvailablePhoneNumbers"
    return [
        route("GET", f"{path}.json", available.countries),
        route("GET", f"{path}/{{CountryCode}}.json", available.country),
        *(route("GET", f"{path}/{{CountryCode}}/{name}.json", available.list(kind)) for kind, name in KINDS.items()),
    ]


def _of_applications(route: _Route, applications: Applications) -> list[Route]:
    return [
        route("GET", "/Applications.json", applications.list),
        route("POST", "/Applications.json", applications.create),
        route("GET", "/Applications/{Sid}.json", applications.fetch),
        route("POST", "/Applications/{Sid}.json", applications.update),
        route("DELETE", "/Applications/{Sid}.json", applications.delete),
    ]


def _of_short_codes(route: _Route, short_codes: ShortCodes) -> list[Route]:
    return [
        route("GET", "/SMS/ShortCodes.json", short_codes.list),
        route("GET", "/SMS/ShortCodes/{Sid}.json", short_codes.fetch),
        route("POST", "/SMS/ShortCodes/{Sid}.json", short_codes.update),
    ]


def _of_caller_ids(route: _Route, caller_ids: CallerIds) -> list[Route]:
    return [
        route("GET", "/OutgoingCallerIds.json", caller_ids.list),
        route("POST", "/OutgoingCallerIds.json", caller_ids.validate),
        route("GET", "/OutgoingCallerIds/{Sid}.json", caller_ids.fetch),
        route("POST", "/OutgoingCallerIds/{Sid}.json", caller_ids.update),
        route("DELETE", "/OutgoingCallerIds/{Sid}.json", caller_ids.delete),
    ]


def _of_notifications(route: _Route, notifications: Notifications) -> list[Route]:
    return [
        route("GET", "/Notifications.json", notifications.list),
        route("GET", "/Notifications/{Sid}.json", notifications.fetch),
    ]
