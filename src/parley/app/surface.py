"""What a node serves: every dialect's operations, over the parts that `node` built."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from parley.api.admin import problems as admin_problems
from parley.api.admin.account import AccountApi
from parley.api.admin.allowance import AllowanceApi
from parley.api.admin.callbacks import CallbacksApi
from parley.api.admin.calls import CallsApi
from parley.api.admin.calls import routes as call_routes
from parley.api.admin.consent_routes import routes as consent_routes
from parley.api.admin.consents import ConsentsApi
from parley.api.admin.keywords import KeywordsApi
from parley.api.admin.links import DomainsApi
from parley.api.admin.messages import RecordApi
from parley.api.admin.openapi.document import Description
from parley.api.admin.quiet_hours import QuietHoursApi
from parley.api.admin.reviewers import ReviewersApi
from parley.api.admin.routes import routes as admin_routes
from parley.api.admin.simulator import SimulatorApi
from parley.api.http.products import PRODUCTS
from parley.api.http.surface import Surface
from parley.api.links import Follow
from parley.api.signalwire import problems as signalwire_problems
from parley.api.signalwire.calling.api import routes as calling_routes
from parley.api.signalwire.project_routes import number_routes, project_routes
from parley.api.signalwire.project_routes import registry_routes as signalwire_registry_routes
from parley.api.signalwire.routes import RELAY_PREFIX
from parley.api.signalwire.routes import routes as signalwire_routes
from parley.api.twilio import problems as twilio_problems
from parley.api.twilio.account_routes import routes as account_routes
from parley.api.twilio.balance import routes as balance_routes
from parley.api.twilio.lookups.routes import routes as lookup_routes
from parley.api.twilio.messaging.deactivations import Deactivations
from parley.api.twilio.messaging.link_shortening import routes as link_routes
from parley.api.twilio.messaging.registry_routes import routes as registry_routes
from parley.api.twilio.messaging.routes import routes as messaging_routes
from parley.api.twilio.pricing.messaging import routes as pricing_routes
from parley.api.twilio.routes import routes as twilio_routes
from parley.api.twilio.urls import Urls
from parley.api.twilio.usage import routes as usage_routes
from parley.api.twilio.usage_triggers import routes as usage_trigger_routes

if TYPE_CHECKING:
    from parley.app.parts import Parts

VERSION: Final = version("parley")


def surface(app: "Parts") -> Surface:
    """The one port's operations."""
    simulator = SimulatorApi(app.phones, app.record, app.receiving, app.numbers, app.fetch_media, app.clock)
    routes = [
        *twilio_routes(
            engine=app.engine,
            credentials=app.credentials.needing("messaging"),
            accounts=app.accounts,
            sending=app.sending,
            amending=app.amending,
            guard=app.guard,
            clock=app.clock,
        ),
        *account_routes(
            engine=app.engine,
            credentials=app.credentials,
            accounts=app.accounts,
            numbers=app.numbers,
            applications=app.applications,
            caller_ids=app.caller_ids,
            guard=app.guard,
            clock=app.clock,
            ids=app.ids,
            code=app.six_digits,
            is_dev=app.is_dev,
        ),
        *registry_routes(
            credentials=app.credentials.needing("messaging"),
            services=app.services,
            registry=app.registry,
            reviewing=app.reviewing,
            terms=app.registration.terms,
            replies=app.keyword_replies,
            numbers=app.numbers,
            guard=app.guard,
            clock=app.clock,
        ),
        *messaging_routes(
            credentials=app.credentials.needing("messaging"),
            services=app.services,
            pool_senders=app.pool_senders,
            campaigns=app.registry.campaigns,
            numbers=app.numbers,
            guard=app.guard,
            reviewing=app.reviewing,
            deactivations=Deactivations(app.engine, app.clock, app.public_url, app.vault.derive(b"deactivations")),
        ),
        *usage_trigger_routes(app.usage_triggers, Urls(app.guard), app.accounts, app.credentials),
        *link_routes(
            credentials=app.credentials, domains=app.short_links.domains, services=app.services, guard=app.guard
        ),
        *lookup_routes(app.credentials),
        *pricing_routes(app.prices, app.credentials),
        *balance_routes(app.allowances, app.accounts, app.credentials),
        *usage_routes(app.usage, app.accounts, app.credentials, app.clock),
        *signalwire_routes(
            app.sending,
            app.amending,
            app.engine,
            app.credentials,
            app.guard,
            app.links,
            app.clock,
        ),
        *number_routes(
            numbers=app.numbers,
            applications=app.applications,
            orders=app.orders,
            services=app.services,
            pool_senders=app.pool_senders,
            caller_ids=app.verified_callers,
            engine=app.engine,
            credentials=app.credentials,
            guard=app.guard,
            is_dev=app.is_dev,
        ),
        *signalwire_registry_routes(
            reviewing=app.reviewing,
            registration=app.registration,
            orders=app.orders,
            numbers=app.numbers,
            credentials=app.credentials,
            guard=app.guard,
        ),
        *project_routes(
            accounts=app.accounts,
            verify=app.verify,
            handlers=app.handlers,
            numbers=app.numbers,
            engine=app.engine,
            credentials=app.credentials,
            guard=app.guard,
        ),
        *admin_routes(
            app.credentials.and_suspended(),
            simulator,
            ReviewersApi(app.reviewing),
            RecordApi(app.engine, lambda waits: app.breaker.seen(waits, app.clock.now()), app.short_links),
            app.events,
            CallbacksApi(app.engine, app.hosts, app.clock, app.claims.look),
            AccountApi(app.accounts, app.quiet),
            QuietHoursApi(app.quiet),
            AllowanceApi(app.allowances, app.accounts),
            DomainsApi(app.short_links, app.public_url),
            app.health,
            Description(VERSION),
        ),
        *calling_routes(app.calls, app.credentials, app.guard),
        *call_routes(app.credentials, CallsApi(app.calls.ring, app.calls.find, app.calls.of_phone)),
        *consent_routes(app.credentials.and_suspended(), ConsentsApi(app.engine, app.clock), KeywordsApi(app.services)),
    ]
    dialects = [
        ("/2010-04-01", twilio_problems.explain),
        *((f"/{product}/", twilio_problems.explain) for product in PRODUCTS),
        (RELAY_PREFIX, signalwire_problems.explain_relay),
        ("/api", signalwire_problems.explain),
        ("/", admin_problems.explain),
    ]
    follow = Follow(app.short_links, app.limits, app.public_url)
    return Surface(routes, dialects, app.metrics.answered, follow)
