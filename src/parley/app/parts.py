"""Every part of one node, built once from the settings, each handed what it needs."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

from parley.api.admin.events import EventsApi
from parley.api.admin.health import Health
from parley.api.http.credentials import Credentials
from parley.api.signalwire.callbacks import SignalWireRenderer
from parley.api.signalwire.calling.calls import Calls
from parley.api.signalwire.media import MediaLinks
from parley.api.signalwire.registry.events import Events
from parley.api.signalwire.relay.server import RelayServer
from parley.api.signalwire.relay.session import Parts as RelayParts
from parley.api.twilio.callbacks import TwilioRenderer
from parley.api.twilio.messaging.link_shortening import clicked
from parley.api.twilio.usage_triggers import told
from parley.app import terms
from parley.app.configured import Configured
from parley.app.readiness import checks
from parley.app.surface import VERSION, surface
from parley.carriers.simulator import Simulator
from parley.core.accounts import Accounts
from parley.core.allowances import Allowances
from parley.core.amend import Amending
from parley.core.backoff import Backoff
from parley.core.breaker import Breaker
from parley.core.caller_ids import CallerIds
from parley.core.carrier import Carrier
from parley.core.channels import Channels
from parley.core.claim import Claims
from parley.core.consent import Consent
from parley.core.dispatch import Dispatch
from parley.core.handoff import Handoff
from parley.core.limits import Limits
from parley.core.links import KIND as LINK_DOMAINS
from parley.core.links import ShortLinks
from parley.core.media import Outgoing
from parley.core.metrics import Metrics
from parley.core.numbers import Numbers
from parley.core.orders import Orders
from parley.core.phones import Phones
from parley.core.prices import Prices
from parley.core.quiet_hours import Quiet
from parley.core.receive import Receiving
from parley.core.record import Record
from parley.core.registration import Registration
from parley.core.relay import Relay
from parley.core.release import Release
from parley.core.review import Registry, Reviewing
from parley.core.schedule import Schedule, Window
from parley.core.send import Sending
from parley.core.sender_rules import SenderRules
from parley.core.senders import Senders
from parley.core.services import Services
from parley.core.supervise import Supervisor
from parley.core.usage import Usage
from parley.core.usage_triggers import UsageTriggers
from parley.core.verify import Verify
from parley.core.watch import Watch
from parley.lib import ids
from parley.lib.clock import Clock, SystemClock
from parley.lib.randomness import Randomness, SystemRandomness
from parley.model.account import Account
from parley.model.allowance import Allowance
from parley.model.application import Application
from parley.model.callback import Callback
from parley.model.caller_id import CallerId
from parley.model.channel import ChannelSender
from parley.model.handler import MessageHandler
from parley.model.link import LinkDomain
from parley.model.message import Dialect, Message, Pending
from parley.model.registry import Assignment, Brand, Campaign, Order, Reviewers, TollFreeVerification, Vetting
from parley.model.service import PoolSender, QuietHours, Service
from parley.model.usage_trigger import UsageTrigger
from parley.model.verification import Verification
from parley.settings import Settings
from parley.store import Engine
from parley.store.vault import Vault
from parley.webhooks.attempt import Attempts
from parley.webhooks.client import Client
from parley.webhooks.deliver import Delivery
from parley.webhooks.guard import Guard
from parley.webhooks.hosts import Hosts
from parley.webhooks.media import MediaFetcher
from parley.webhooks.render import Renderer
from parley.webhooks.reply import Replies
from parley.webhooks.retries import Retries

_OF_CAMPAIGN: Final = ("order", "assignment")
"""What goes with a campaign: a number that stayed assigned to it could never be assigned to another."""
HELD: Final = 10_000
"""Messages, and callbacks, that are due and that one node keeps in memory; more waits in the record."""


class Parts:
    """What a node is made of. `build` makes what needs the open store."""

    def __init__(self, settings: Settings, clock: Clock | None = None, randomness: Randomness | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.randomness = randomness or SystemRandomness()
        self.is_dev = settings.profile == "dev"
        self.ids = ids.Ids(self.clock)
        self.metrics = Metrics()
        self.backoff = Backoff(self.randomness)
        self.supervisor = Supervisor(self.backoff)
        self.breaker = Breaker(self.randomness)
        self.due: Handoff[tuple[Pending, Message]] = Handoff(
            HELD, key=lambda due: due[1].id, takes_new=lambda: self.breaker.takes_new
        )
        self.owed: Handoff[Callback] = Handoff(HELD, key=lambda callback: callback.id)
        self.first_account: Account | None = None
        """The oldest account, once started."""
        self.opened = AsyncExitStack()
        """What a start that fails has to close."""
        self.is_first_start = False
        """Whether this start made it."""
        self.public_url = (settings.public_url or settings.origin).rstrip("/")

    def build(self, engine: Engine) -> None:
        """Make every part that needs the open store. Raises what keeps a node from starting."""
        self.engine = engine
        settings, clock = self.settings, self.clock
        node = self.ids.new()
        messages_wait, callbacks_wait = asyncio.Event(), asyncio.Event()
        self.guard = Guard(allow_loopback=self.is_dev, allow_private=settings.private_networks)
        self.client = Client(self.guard, user_agent=f"Parley/{VERSION}", tls=terms.trust(settings.ca_file))
        self.opened.push_async_callback(self.client.aclose)
        self.fetch_media = MediaFetcher(self.client)
        self.vault = Vault(terms.vault_key(self.settings))
        self.configured = Configured(engine, clock, self.ids)
        self.accounts = Accounts(
            self.engine, self.vault, clock, self.ids, lambda: self.randomness.token(24), self.configured.forget
        )
        self.configured.add(self.accounts)
        self.applications = self.configured.kind("application", Application)
        self.caller_ids = self.configured.kind("caller_id", CallerId)
        self.handlers = self.configured.kind("handler", MessageHandler)
        self.numbers = Numbers(
            self.engine,
            clock,
            self.ids,
            self.applications,
            self.handlers,
            own_on_use=self.is_dev,
            forget_others=self.configured.forget,
        )
        self.configured.add(self.numbers)
        self.services = self.configured.kind("service", Service, children=("pool_sender", "campaign", *_OF_CAMPAIGN))
        self.pool_senders = self.configured.kind("pool_sender", PoolSender)
        self.quiet = Quiet(engine, self.configured.kind("quiet_hours", QuietHours), self.services, clock)
        self._build_registry(callbacks_wait.set)
        self.channels = Channels(engine, clock, self.registry.channel_senders)
        self.sender_rules = SenderRules(terms.sender_rules(settings), strict=not self.is_dev)
        self.usage = Usage(self.engine, clock)
        self._build_allowances(callbacks_wait)
        self.prices = Prices(terms.prices(settings))
        self.links = MediaLinks(self.vault.derive(b"media links"))
        self.renderers = self._renderers()
        states = {dialect: renderer.states for dialect, renderer in self.renderers.items()}
        self.record = Record(self.engine, node, self.ids, states, self.due, self.owed, messages_wait, self.metrics)
        self._build_sending(callbacks_wait)
        self.keyword_replies = terms.keyword_replies(self.settings)
        self.consent = Consent(clock, self.sending, self.keyword_replies)
        self.receiving = Receiving(
            self.record,
            self.numbers,
            self.channels,
            self.pools,
            self.accounts,
            self.consent,
            self.prices,
            clock,
            self.metrics,
        )
        self.amending = Amending(self.record, clock)
        self.phones = Phones(self.engine, clock, self.breaker.ask_again)
        simulator = Simulator(self.phones, clock, self.randomness)
        self.carrier: Carrier = simulator
        self.watch = Watch(
            clock,
            self.metrics,
            {
                "dispatch": lambda: (self.due.turns, len(self.due) > 0),
                "deliver": lambda: (self.owed.turns, len(self.owed) > 0),
                "store-writer": lambda: (self.engine.turns, self.engine.has_work),
                "simulator-receipts": lambda: (simulator.turns, True),
            },
        )
        outgoing = Outgoing(self.engine, self.fetch_media, settings.media_limits)
        self.dispatch = Dispatch(
            self.record,
            self.due,
            self.release,
            self.carrier,
            outgoing,
            clock,
            self.backoff,
            self.breaker,
            self.metrics,
            settings.uncertain_policy,
        )
        self.hosts = Hosts(clock, self.randomness, self.metrics.registry)
        attempts = Attempts(self.client, clock, self.hosts)
        retries = Retries(clock, self.backoff, settings.callback_attempts, settings.callback_give_up_s)
        replies = Replies(self.engine, self.record, self.sending.send, self.renderers, attempts, self.handlers, clock)
        self.calls = Calls(
            self.engine, node, self.numbers, self.sending.send, attempts.fetch, clock, self.ids, self.backoff
        )
        self.verified_callers = CallerIds(self.caller_ids, self.calls.say, self.six_digits, clock, answers=self.is_dev)
        self.delivery = Delivery(
            self.engine,
            self.owed,
            self.accounts,
            self.renderers,
            attempts,
            self.hosts,
            retries,
            replies,
            clock,
            self.backoff,
            node,
            callbacks_wait,
            self.metrics,
            HELD,
        )
        name = settings.node_name or f"{socket.gethostname()}:{settings.port}"
        self.claims = Claims(
            self.engine,
            node,
            name,
            clock,
            self.due,
            self.owed,
            messages_wait,
            callbacks_wait,
            self.backoff,
            self.breaker,
            self.metrics,
        )
        self._build_edge()
        self.surface = surface(self)

    def _build_sending(self, callbacks_wait: asyncio.Event) -> None:
        """Who sends, by number and by service, and the one way out."""
        paces, rules = terms.paces(self.settings), self.sender_rules
        self.pools: Services = Services(
            self.engine, self.clock, self.services, self.pool_senders, self.channels, self.registration, rules, paces
        )
        self.configured.add(self.pools)
        self.senders = Senders(
            self.numbers, self.pools, self.channels, self.caller_ids, rules, self.registration, paces, self.clock
        )
        settings = self.settings
        window = Window(settings.schedule_min_s, settings.schedule_max_s, settings.schedule_limit)
        self.schedule = Schedule(self.engine, self.clock, self.quiet, window)
        self.short_links = ShortLinks(
            self.engine,
            self.configured.kind(LINK_DOMAINS, LinkDomain),
            settings.link_url or self.public_url,
            self.clock,
            self.ids,
            self.randomness,
            clicked,
            callbacks_wait.set,
        )
        self.sending: Sending = Sending(  # the types, for mypy, which gives up on what it meets later
            self.record,
            self.clock,
            self.senders,
            self.pools,
            self.channels,
            self.applications,
            self.prices,
            self.allowances,
            self.schedule,
            self.short_links,
            strict=not self.is_dev,
        )
        self.verify = Verify(
            self.configured.kind("verification", Verification),
            self.sending,
            self.clock,
            self.randomness,
            self.vault.derive(b"verifications"),
        )
        self.release: Release = Release(
            self.record,
            self.schedule,
            self.sending,
            self.senders,
            self.pools,
            self.accounts,
            self.allowances,
            self.clock,
        )

    def _build_registry(self, wake: Callable[[], None]) -> None:
        """Who may send to North America, and who decides it."""
        self.registry = Registry(
            self.configured.kind("brand", Brand),
            self.configured.kind("vetting", Vetting),
            self.configured.kind("campaign", Campaign, children=_OF_CAMPAIGN),
            self.configured.kind("toll_free_verification", TollFreeVerification),
            self.configured.kind("order", Order),
            self.configured.kind("assignment", Assignment),
            self.configured.kind("channel_sender", ChannelSender),
        )
        usual = Reviewers(verdict="approve") if self.is_dev else Reviewers()
        owed = Events(self.ids).owed
        self.reviewing = Reviewing(self.engine, self.clock, self.registry, usual, owed, wake)
        self.orders = Orders(self.reviewing, self.numbers, self.clock, owed, wake)
        self.registration = Registration(
            self.engine, self.clock, self.pool_senders, self.registry, terms.registration(self.settings)
        )

    def _build_allowances(self, callbacks_wait: asyncio.Event) -> None:
        """What accounts may do that costs, and who is told what it did."""
        usual = terms.allowance(self.settings)
        self.allowances = Allowances(
            self.configured.kind("allowance", Allowance), self.accounts, self.usage, self.clock, usual
        )
        self.configured.add(self.allowances)
        self.usage_triggers = UsageTriggers(
            self.configured.kind("usage_trigger", UsageTrigger),
            self.accounts,
            self.usage,
            self.clock,
            self.ids,
            told,
            callbacks_wait.set,
        )

    def _build_edge(self) -> None:
        """What stands between requests and the core: limits, credentials, health."""
        self.limits = Limits(
            terms.bounds(self.settings),
            self.clock,
            nodes=lambda: self.claims.nodes,
            waiting=lambda: self.record.waiting,
        )
        self.metrics.requests_waiting.labels("write").set_function(lambda: self.limits.writes)
        self.metrics.requests_waiting.labels("read").set_function(lambda: self.limits.reads)
        self.metrics.intake_waiting.set_function(lambda: self.limits.intake)
        self.credentials = Credentials(self.accounts, self.clock, self.vault.derive(b"credentials"), self.limits)
        self.events = EventsApi(self.engine, self.clock)
        self._build_relay()
        self.health = Health(
            checks(self.engine, self.carrier, self.supervisor, self.watch, self.metrics, self.clock),
            self.metrics.registry,
        )

    def _build_relay(self) -> None:
        """Relay's clients on this node."""
        settings = self.settings
        to_all = settings.relay_delivery == "all"
        self.relay = Relay(self.record, self.clock, self.metrics.registry, settings.callback_give_up_s, to_all=to_all)
        self.relay_server = RelayServer(
            RelayParts(
                self.accounts,
                self.relay,
                self.sending,
                self.limits,
                self.guard,
                self.links,
                self.clock,
                self.ids,
                self.randomness,
                self.public_url,
                settings.relay_ping_s,
                settings.relay_default_context or ("office" if self.is_dev else None),  # the guides' context
            )
        )

    def six_digits(self) -> str:
        """A code that people can tell one another."""
        return "".join(self.randomness.choice("0123456789") for _ in range(6))

    def _renderers(self) -> dict[Dialect, Renderer]:
        return {
            "twilio": TwilioRenderer(self.public_url),
            "signalwire": SignalWireRenderer(self.links, self.public_url, self.settings.middle_state),
        }
