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
from parley.api.signalwire.routes import ONE, Operation, collection, mounted
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
    members = GROUPS + ONE + "/number_group_memberships"
    verification = CALLER_IDS + ONE + "/verification"
    operations: list[Operation] = [
        ("GET", SEARCH, sale.search),
        *collection(PHONE_NUMBERS, phones.list, phones.purchase, phones.fetch, phones.update, phones.release),
        *collection(GROUPS, groups.list, groups.create, groups.fetch, groups.update, groups.delete),
        ("GET", members, groups.list_members),
        ("POST", members, groups.add_member),
        ("GET", MEMBERSHIPS + ONE, groups.fetch_member),
        ("DELETE", MEMBERSHIPS + ONE, groups.delete_member),
        ("GET", SHORT_CODES, codes.list),
        ("GET", SHORT_CODES + ONE, codes.fetch),
        ("PUT", SHORT_CODES + ONE, codes.update),
        *collection(CALLER_IDS, callers.list, callers.create, callers.fetch, callers.update, callers.delete),
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
        ("GET", BRANDS + ONE, brands.fetch),
        ("GET", BRANDS + ONE + "/campaigns", campaigns.list),
        ("POST", BRANDS + ONE + "/campaigns", campaigns.create),
        ("GET", CAMPAIGNS + ONE, campaigns.fetch),
        ("PUT", CAMPAIGNS + ONE, campaigns.update),
        ("GET", CAMPAIGNS + ONE + "/numbers", ordered.list_assignments),
        ("GET", CAMPAIGNS + ONE + "/orders", ordered.list),
        ("POST", CAMPAIGNS + ONE + "/orders", ordered.create),
        ("DELETE", _NUMBERS + ONE, ordered.delete_assignment),
        ("GET", _ORDERS + ONE, ordered.fetch),
    ]
    told: list[Operation] = [
        ("POST", guides.BRANDS, guide.create_brand),
        ("GET", guides.BRANDS + ONE, guide.fetch_brand),
        ("POST", guides.CAMPAIGNS, guide.create_campaign),
        ("GET", guides.CAMPAIGNS + ONE, guide.fetch_campaign),
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
    every_kind = kinds(guard)
    fabric = FabricResources(handlers, numbers, every_kind)
    managed: list[Operation] = [
        ("GET", PROJECTS, projects.list),
        ("GET", PROJECTS + ONE, projects.fetch),
        ("POST", PROJECTS + ONE + "/signing-key/rotate", projects.rotate_signing_key),
        ("POST", TOKENS, tokens.create),
        ("PATCH", TOKENS + ONE, tokens.update),
        ("DELETE", TOKENS + ONE, tokens.delete),
    ]
    coded: list[Operation] = [("POST", MFA + "/sms", mfa.sms), ("POST", MFA + ONE + "/verify", mfa.verify)]
    led: list[Operation] = [
        ("GET", RESOURCES, fabric.list),
        ("GET", RESOURCES + ONE, fabric.fetch),
        ("DELETE", RESOURCES + ONE, fabric.delete),
        ("POST", RESOURCES + ONE + "/phone_routes", fabric.assign_phone_route),
    ]
    for kind in every_kind.values():
        of = fabric.of(kind)
        led += collection(kind.path, of.list, of.create, of.fetch, of.update, of.delete, kind.method)
    return [
        *mounted(managed, credentials.needing("management")),
        *mounted(coded, credentials.needing("calling", "messaging", "fax"), explain_relay),
        *mounted(led, credentials.needing("calling", "messaging", "fax", "video")),
    ]
