"""Where what a project has is served: numbers, groups, the registry, codes, tokens, and what its numbers lead to.

Which permissions a token needs: SignalWire's pages of each operation, which name one of several.
"""

from starlette.routing import Route

from parley.api.http.credentials import Credentials
from parley.api.signalwire.caller_ids import CALLER_IDS, CallerIdsApi
from parley.api.signalwire.fabric.kinds import RESOURCES, kinds
from parley.api.signalwire.fabric.resources import FabricResources
from parley.api.signalwire.mfa import MFA, Mfa
from parley.api.signalwire.number_groups import GROUPS, MEMBERSHIPS, NumberGroups
from parley.api.signalwire.numbers_for_sale import SEARCH, NumbersForSale
from parley.api.signalwire.phone_numbers import PHONE_NUMBERS, PhoneNumbers
from parley.api.signalwire.problems import explain_relay
from parley.api.signalwire.projects import PROJECTS, TOKENS, Projects, TokensApi
from parley.api.signalwire.registry import guide as guides
from parley.api.signalwire.registry.brands import BRANDS, Brands
from parley.api.signalwire.registry.campaigns import CAMPAIGNS, Campaigns
from parley.api.signalwire.registry.guide import Guide
from parley.api.signalwire.registry.orders import OrdersApi
from parley.api.signalwire.routes import Operation, mounted
from parley.api.signalwire.short_codes import SHORT_CODES, ShortCodes
from parley.core.accounts import Accounts
from parley.core.caller_ids import CallerIds
from parley.core.inventory import Inventory
from parley.core.numbers import Numbers
from parley.core.orders import Orders
from parley.core.registration import Registration
from parley.core.resources import Resources
from parley.core.review import Reviewing
from parley.core.verify import Verify
from parley.model.application import Application
from parley.model.handler import MessageHandler
from parley.model.service import PoolSender, Service
from parley.store import Engine
from parley.webhooks.guard import Guard

_ONE = "/{id}"
_NUMBERS = "/api/relay/rest/registry/beta/numbers"
_ORDERS = "/api/relay/rest/registry/beta/orders"


def number_routes(
    *,
    numbers: Numbers,
    applications: Resources[Application],
    orders: Orders,
    services: Resources[Service],
    pool_senders: Resources[PoolSender],
    caller_ids: CallerIds,
    engine: Engine,
    credentials: Credentials,
    guard: Guard,
    is_dev: bool,
) -> list[Route]:
    """Numbers, groups of them, short codes and caller ids."""
    inventory = Inventory(engine)
    sale = NumbersForSale(inventory)
    phones = PhoneNumbers(numbers, applications, inventory, orders, engine, guard, sells_any=is_dev)
    groups = NumberGroups(services, pool_senders, numbers)
    codes = ShortCodes(numbers, applications, engine, guard)
    callers = CallerIdsApi(caller_ids)
    members = GROUPS + _ONE + "/number_group_memberships"
    verification = CALLER_IDS + _ONE + "/verification"
    operations: list[Operation] = [
        ("GET", SEARCH, sale.search),
        ("GET", PHONE_NUMBERS, phones.list),
        ("POST", PHONE_NUMBERS, phones.purchase),
        ("GET", PHONE_NUMBERS + _ONE, phones.fetch),
        ("PUT", PHONE_NUMBERS + _ONE, phones.update),
        ("DELETE", PHONE_NUMBERS + _ONE, phones.release),
        ("GET", GROUPS, groups.list),
        ("POST", GROUPS, groups.create),
        ("GET", GROUPS + _ONE, groups.fetch),
        ("PUT", GROUPS + _ONE, groups.update),
        ("DELETE", GROUPS + _ONE, groups.delete),
        ("GET", members, groups.list_members),
        ("POST", members, groups.add_member),
        ("GET", MEMBERSHIPS + _ONE, groups.fetch_member),
        ("DELETE", MEMBERSHIPS + _ONE, groups.delete_member),
        ("GET", SHORT_CODES, codes.list),
        ("GET", SHORT_CODES + _ONE, codes.fetch),
        ("PUT", SHORT_CODES + _ONE, codes.update),
        ("GET", CALLER_IDS, callers.list),
        ("POST", CALLER_IDS, callers.create),
        ("GET", CALLER_IDS + _ONE, callers.fetch),
        ("PUT", CALLER_IDS + _ONE, callers.update),
        ("DELETE", CALLER_IDS + _ONE, callers.delete),
        ("POST", verification, callers.call_again),
        ("PUT", verification, callers.verify),
    ]
    return mounted(operations, credentials.needing("numbers"), explain_relay)


def registry_routes(
    *,
    reviewing: Reviewing,
    registration: Registration,
    orders: Orders,
    numbers: Numbers,
    credentials: Credentials,
    guard: Guard,
) -> list[Route]:
    """The campaign registry, in both spellings."""
    brands, campaigns = Brands(reviewing, guard), Campaigns(reviewing, guard)
    ordered, guide = OrdersApi(orders, numbers, guard), Guide(reviewing, registration, guard)
    registered: list[Operation] = [
        ("GET", BRANDS, brands.list),
        ("POST", BRANDS, brands.create),
        ("GET", BRANDS + _ONE, brands.fetch),
        ("GET", BRANDS + _ONE + "/campaigns", campaigns.list),
        ("POST", BRANDS + _ONE + "/campaigns", campaigns.create),
        ("GET", CAMPAIGNS + _ONE, campaigns.fetch),
        ("PUT", CAMPAIGNS + _ONE, campaigns.update),
        ("GET", CAMPAIGNS + _ONE + "/numbers", ordered.list_assignments),
        ("GET", CAMPAIGNS + _ONE + "/orders", ordered.list),
        ("POST", CAMPAIGNS + _ONE + "/orders", ordered.create),
        ("DELETE", _NUMBERS + _ONE, ordered.delete_assignment),
        ("GET", _ORDERS + _ONE, ordered.fetch),
    ]
    told: list[Operation] = [
        ("POST", guides.BRANDS, guide.create_brand),
        ("GET", guides.BRANDS + _ONE, guide.fetch_brand),
        ("POST", guides.CAMPAIGNS, guide.create_campaign),
        ("GET", guides.CAMPAIGNS + _ONE, guide.fetch_campaign),
    ]
    needing = credentials.needing("numbers", "messaging")
    return [*mounted(registered, needing, explain_relay), *mounted(told, needing)]


def project_routes(
    *,
    accounts: Accounts,
    verify: Verify,
    handlers: Resources[MessageHandler],
    numbers: Numbers,
    engine: Engine,
    credentials: Credentials,
    guard: Guard,
) -> list[Route]:
    """Projects and tokens, codes, and what numbers lead to."""
    projects, tokens, mfa = Projects(accounts), TokensApi(accounts), Mfa(verify, engine)
    fabric = FabricResources(handlers, numbers, kinds(guard))
    managed: list[Operation] = [
        ("GET", PROJECTS, projects.list),
        ("GET", PROJECTS + _ONE, projects.fetch),
        ("POST", PROJECTS + _ONE + "/signing-key/rotate", projects.rotate_signing_key),
        ("POST", TOKENS, tokens.create),
        ("PATCH", TOKENS + _ONE, tokens.update),
        ("DELETE", TOKENS + _ONE, tokens.delete),
    ]
    coded: list[Operation] = [("POST", MFA + "/sms", mfa.sms), ("POST", MFA + _ONE + "/verify", mfa.verify)]
    led: list[Operation] = [
        ("GET", RESOURCES, fabric.list),
        ("GET", RESOURCES + _ONE, fabric.fetch),
        ("DELETE", RESOURCES + _ONE, fabric.delete),
        ("POST", RESOURCES + _ONE + "/phone_routes", fabric.assign_phone_route),
    ]
    for kind in kinds(guard).values():
        of = fabric.of(kind)
        led += [
            ("GET", kind.path, of.list),
            ("POST", kind.path, of.create),
            ("GET", kind.path + _ONE, of.fetch),
            (kind.method, kind.path + _ONE, of.update),
            ("DELETE", kind.path + _ONE, of.delete),
        ]
    return [
        *mounted(managed, credentials.needing("management")),
        *mounted(coded, credentials.needing("calling", "messaging", "fax"), explain_relay),
        *mounted(led, credentials.needing("calling", "messaging", "fax", "video")),
    ]
