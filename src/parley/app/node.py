"""The composition root: builds every part of one node, hands each what it needs, starts and stops them in order."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final, Protocol, TypeVar

import structlog
from starlette.types import Receive, Scope, Send

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
from parley.app.surface import VERSION, surface
from parley.carriers.simulator import Simulator
from parley.core.accounts import Accounts
from parley.core.allowances import Allowances
from parley.core.amend import Amending
from parley.core.backoff import Backoff
from parley.core.breaker import Breaker
from parley.core.carrier import Carrier
from parley.core.channels import Channels
from parley.core.claim import Claims
from parley.core.consent import Consent
from parley.core.dispatch import Dispatch
from parley.core.handoff import Handoff
from parley.core.limits import Bounds, Limits
from parley.core.links import KIND as LINK_DOMAINS
from parley.core.links import ShortLinks
from parley.core.maintain import Maintenance
from parley.core.media import Outgoing
from parley.core.metrics import Metrics
from parley.core.numbers import Numbers
from parley.core.orders import Orders
from parley.core.pacing import UNLIMITED, Paces
from parley.core.phones import Phones
from parley.core.prices import Prices
from parley.core.quiet_hours import Quiet
from parley.core.receive import Receiving
from parley.core.record import Record
from parley.core.registration import Registration, Terms
from parley.core.relay import Relay
from parley.core.release import Release
from parley.core.resources import Resources
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
from parley.lib import ids, tables
from parley.lib.clock import Clock, SystemClock
from parley.lib.countries import names
from parley.lib.randomness import Randomness, SystemRandomness
from parley.model import price, sender_rule
from parley.model.account import Account
from parley.model.allowance import Allowance
from parley.model.application import Application
from parley.model.call import Call
from parley.model.callback import Callback
from parley.model.caller_id import CallerId
from parley.model.channel import ChannelSender
from parley.model.consent import Replies as KeywordReplies
from parley.model.handler import MessageHandler
from parley.model.link import LinkDomain
from parley.model.message import Dialect, Message, Pending
from parley.model.registry import Assignment, Brand, Campaign, Order, Reviewers, TollFreeVerification, Vetting
from parley.model.service import PoolSender, QuietHours, Service
from parley.model.usage_trigger import UsageTrigger
from parley.model.verification import Verification
from parley.settings import Settings, SettingsError
from parley.store import Engine, News, StoreUnavailable, queue
from parley.store.connect import UrlError, open_engine, sqlite_path
from parley.store.migrate import SchemaError, migrate
from parley.store.vault import Vault, VaultError, key_from_text, load_or_create_key
from parley.webhooks.attempt import Attempts
from parley.webhooks.client import Client
from parley.webhooks.deliver import Delivery
from parley.webhooks.guard import Guard
from parley.webhooks.hosts import Hosts
from parley.webhooks.media import MediaFetcher
from parley.webhooks.render import Renderer
from parley.webhooks.reply import Replies
from parley.webhooks.retries import Retries

log = structlog.get_logger(__name__)

T = TypeVar("T")

SEED_NUMBERS: Final = ("+15551234567", "+15557654321")
"""Owned by the first account in the dev profile."""
SHARED_KEY: Final = Path("var/parley.key")
"""The key file of a node on PostgreSQL that was given no key."""
_OF_CAMPAIGN: Final = ("order", "assignment")
"""What goes with a campaign: a number that stayed assigned to it could never be assigned to another."""
_FAREWELL_S: Final = 5.0
"""What closing may take at most, and as long as the loops had: a commit that hangs must not keep the process."""
_LEAST_FAREWELL_S: Final = 1.0
HELD: Final = 10_000
"""Messages, and callbacks, that are due and that one node keeps in memory; more waits in the record."""


API_RATE: Final = 1380.0
"""Writes a second of one account in the strict profile: SignalWire's 13,800 in ten seconds (platform/rate-limits)."""
BURST_S: Final = 10
"""Seconds of its rate that an account may ask at once, unless the settings say otherwise."""


class _Remembering(Protocol):
    """Remembers for a moment what the record said."""

    def forget(self) -> None: ...


class App:
    """One node: an ASGI application whose lifespan starts and stops everything else."""

    def __init__(self, settings: Settings, clock: Clock | None = None, randomness: Randomness | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.randomness = randomness or SystemRandomness()
        self.is_dev = settings.profile == "dev"
        self.ids = ids.Ids(self.clock)
        self.metrics = Metrics()
        self.backoff = Backoff(self.randomness)
        self.supervisor = Supervisor(self.backoff)
        self.breaker = Breaker(self.backoff)
        self.due: Handoff[tuple[Pending, Message]] = Handoff(
            HELD, key=lambda due: due[1].id, takes_new=lambda: self.breaker.takes_new
        )
        self.owed: Handoff[Callback] = Handoff(HELD, key=lambda callback: callback.id)
        self.first_account: Account | None = None
        """The oldest account, once started."""
        self.is_first_start = False
        """Whether this start made it."""
        self.public_url = (settings.public_url or f"http://{_reachable(settings.host)}:{settings.port}").rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the lifespan."""
        if scope["type"] == "http":
            await self.surface(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self.relay_server(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.start()
        except (SettingsError, UrlError, SchemaError, StoreUnavailable, VaultError) as error:
            log.error("the node cannot start", reason=str(error))
            await send({"type": "lifespan.startup.failed", "message": ""})
            return
        except Exception:
            log.exception("the node cannot start")
            await send({"type": "lifespan.startup.failed", "message": ""})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def start(self) -> None:
        """Bring the schema up to date, connect, and start every loop. Raises what keeps the node from starting."""
        await migrate(self.settings.database_url)
        self.engine: Engine = open_engine(self.settings.database_url)
        await self.engine.open()
        self._build()
        await self._prepare_accounts()
        await self.claims.join()
        await self.carrier.start(self.record.receive, self.receiving.receive)
        self.supervisor.start("watch", self.watch.run)
        self.supervisor.start("dispatch", self.dispatch.run)
        self.supervisor.start("deliver", self.delivery.run)
        self.supervisor.start("claim-messages", self.claims.claim_messages)
        self.supervisor.start("claim-callbacks", self.claims.claim_callbacks)
        self.supervisor.start("lease", self.claims.keep_lease)
        self.supervisor.start("inspect", self.claims.inspect)
        self.supervisor.start("usage", lambda: self.claims.repeat("usage", self.usage_triggers.turn))
        self.supervisor.start("review", lambda: self.claims.repeat("review", self.reviewing.turn, self.reviewing.nudge))
        self.supervisor.start("orders", lambda: self.claims.repeat("orders", self.orders.turn, self.orders.nudge))
        self.supervisor.start("relay", lambda: self.claims.repeat("relay", self.relay.turn, self.relay.nudge))
        self.supervisor.start("relay-clients", lambda: self.claims.repeat("relay-clients", self.relay_server.turn))
        self.supervisor.start("verifications", lambda: self.claims.repeat("verifications", self.verify.turn))
        self.supervisor.start("maintenance", Maintenance(self.record, self.clock, self.claims, self.usage).run)
        log.info("ready", version=VERSION, profile=self.settings.profile, engine=self.engine.name)

    def quiesce(self) -> None:
        """Be ready no more, and let everybody go who waits for news, so that their connections can end."""
        self.health.is_stopping = True
        self.phones.stop_waiting()
        self.events.stop_waiting()
        self.relay_server.stop()

    async def stop(self) -> None:
        """Finish what is under way, within the time that the settings give, and free the rest for another node."""
        self.quiesce()
        self.claims.stop()
        self.watch.stop()
        self.due.close()
        self.owed.close()
        try:
            async with asyncio.timeout(self.settings.drain_s):
                await self.supervisor.ended()
        except TimeoutError:
            log.warning("stopping with work under way; its outcome is settled by the next start")
            self.supervisor.cancel()
        try:
            async with asyncio.timeout(min(_FAREWELL_S, max(_LEAST_FAREWELL_S, self.settings.drain_s))):
                await self._close()
        except TimeoutError:
            self.engine.give_up()
            log.error("stopping though the database does not answer; what was accepted is settled by the next start")
        log.info("stopped")

    async def _close(self) -> None:
        await self.carrier.close()
        await self.client.aclose()
        try:
            await self.claims.leave()
        except StoreUnavailable as error:
            log.warning("what this node held comes free when its lease ends", error=str(error))
        await self.engine.close()

    def _build(self) -> None:
        settings, clock = self.settings, self.clock
        node = self.ids.new()
        messages_wait, callbacks_wait = asyncio.Event(), asyncio.Event()
        self.guard = Guard(allow_loopback=self.is_dev, allow_private=False)
        self.client = Client(self.guard, user_agent=f"Parley/{VERSION}", tls=_trust(settings.ca_file))
        self.fetch_media = MediaFetcher(self.client)
        self.vault = Vault(self._vault_key())
        self.accounts = Accounts(self.engine, self.vault, clock, self.ids, lambda: self.randomness.token(24))
        self._remembering: list[_Remembering] = [self.accounts]
        self.engine.on_news(self._heard)
        self.applications = self._kind("application", Application)
        self.caller_ids = self._kind("caller_id", CallerId)
        self.handlers = self._kind("handler", MessageHandler)
        self.numbers = Numbers(self.engine, clock, self.ids, self.applications, self.handlers, own_on_use=self.is_dev)
        self._remembering.append(self.numbers)
        self.services = self._kind("service", Service, children=("pool_sender", "campaign", *_OF_CAMPAIGN))
        self.pool_senders = self._kind("pool_sender", PoolSender)
        self.channel_senders = self._kind("channel_sender", ChannelSender)
        self.channels = Channels(self.channel_senders)
        self.quiet = Quiet(self._kind("quiet_hours", QuietHours), self.services, self.clock)
        self._build_registry(callbacks_wait.set)
        self.sender_rules = SenderRules(
            _table("sender_rules_file", settings.sender_rules_file, sender_rule.read), strict=not self.is_dev
        )
        self.usage = Usage(self.engine, clock)
        self._build_allowances(callbacks_wait)
        self.prices = Prices(_table("prices_file", settings.prices_file, price.read))
        self.links = MediaLinks(self.vault.derive(b"media links"))
        self.renderers = self._renderers()
        states = {dialect: renderer.states for dialect, renderer in self.renderers.items()}
        self.record = Record(self.engine, node, self.ids, states, self.due, self.owed, messages_wait, self.metrics)
        self._build_sending(callbacks_wait)
        self.keyword_replies = self._keyword_replies()
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
        self.phones = Phones(self.engine, clock)
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
        outgoing = Outgoing(self.engine, self.fetch_media)
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
        self.calls = Calls(self._kind("call", Call), self.numbers, self.sending.send, attempts.fetch, clock, self.ids)
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
        paces, rules = self._paces(), self.sender_rules
        self.pools: Services = Services(
            self.engine, self.clock, self.services, self.pool_senders, self.registration, rules, paces
        )
        self._remembering.append(self.pools)
        self.senders = Senders(self.numbers, self.pools, rules, self.registration, paces, self.clock)
        settings = self.settings
        window = Window(settings.schedule_min_s, settings.schedule_max_s, settings.schedule_limit)
        self.schedule = Schedule(self.engine, self.clock, self.quiet, window)
        self.short_links = ShortLinks(
            self.engine,
            self._kind(LINK_DOMAINS, LinkDomain),
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
            self._kind("verification", Verification),
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
            self._kind("brand", Brand),
            self._kind("vetting", Vetting),
            self._kind("campaign", Campaign, children=_OF_CAMPAIGN),
            self._kind("toll_free_verification", TollFreeVerification),
            self._kind("order", Order),
            self._kind("assignment", Assignment),
        )
        usual = Reviewers(verdict="approve") if self.is_dev else Reviewers()
        owed = Events(self.ids).owed
        self.reviewing = Reviewing(self.engine, self.clock, self.registry, usual, owed, wake)
        self.orders = Orders(self.reviewing, self.numbers, self.clock, owed, wake)
        self.registration = Registration(self.engine, self.clock, self.pool_senders, self.registry, self._terms())

    def _build_allowances(self, callbacks_wait: asyncio.Event) -> None:
        """What accounts may do that costs, and who is told what it did."""
        settings = self.settings
        countries = None if settings.geo_permissions is None else tuple(settings.geo_permissions.upper().split(","))
        if countries is not None and not set(countries) <= names().keys():
            raise SettingsError("geo_permissions: codes of ISO 3166-1, with commas between")
        credit = None if settings.credit is None else round(settings.credit * 1_000_000)
        self.allowances = Allowances(
            self._kind("allowance", Allowance), self.accounts, self.usage, self.clock, Allowance(countries, credit)
        )
        self._remembering.append(self.allowances)
        self.usage_triggers = UsageTriggers(
            self._kind("usage_trigger", UsageTrigger),
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
            self._bounds(), self.clock, nodes=lambda: self.claims.nodes, waiting=lambda: self.record.waiting
        )
        self.metrics.requests_waiting.labels("write").set_function(lambda: self.limits.writes)
        self.metrics.requests_waiting.labels("read").set_function(lambda: self.limits.reads)
        self.metrics.intake_waiting.set_function(lambda: self.record.waiting)
        self.credentials = Credentials(self.accounts, self.clock, self.vault.derive(b"credentials"), self.limits)
        self.events = EventsApi(self.engine, self.clock)
        self._build_relay()
        self.health = Health(
            {
                "database": self._check_database,
                "carrier": self.carrier.check,
                "loops": self._check_loops,
                "event_loop": self._check_event_loop,
            },
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
                settings.relay_default_context,
            )
        )

    def _heard(self, news: News) -> None:
        """Another node changed what this one remembers."""
        if News.CONFIGURATION in news:
            for remembers in self._remembering:
                remembers.forget()

    def _kind(self, name: str, type_: type[T], children: Collection[str] = ()) -> Resources[T]:
        """The resources of one kind."""
        kind = Resources(self.engine, self.clock, self.ids, name, type_, children)
        self._remembering.append(kind)
        return kind

    def _renderers(self) -> dict[Dialect, Renderer]:
        return {
            "twilio": TwilioRenderer(self.public_url),
            "signalwire": SignalWireRenderer(self.links, self.public_url),
        }

    async def _check_database(self) -> str | None:
        if self.engine.last_commit_failed is not None:
            return self.engine.last_commit_failed
        try:
            await self.engine.read(queue.next_due_message)
        except StoreUnavailable as error:
            return str(error)
        return None

    async def _check_loops(self) -> str | None:
        if fault := self.supervisor.fault():
            return fault
        stalled = self.metrics.stuck(self.clock)
        return f"no progress in {', '.join(stalled)}" if stalled else None

    async def _check_event_loop(self) -> str | None:
        return self.watch.trouble()

    def _vault_key(self) -> bytes:
        secret = self.settings.secrets.secret_key
        if secret is not None:
            return key_from_text(secret.reveal())
        path = sqlite_path(self.settings.database_url)
        if path is None:
            log.warning("PARLEY_SECRET_KEY is not set; every node needs this key", file=str(SHARED_KEY))
            path = SHARED_KEY
        return load_or_create_key(path.with_suffix(".key"))

    def _bounds(self) -> Bounds:
        settings = self.settings
        rate = (0.0 if self.is_dev else API_RATE) if settings.api_rate is None else settings.api_rate
        burst = max(1, round(rate * BURST_S)) if settings.api_burst is None else settings.api_burst
        return Bounds(rate, burst, settings.api_concurrency, settings.intake_limit)

    def _paces(self) -> Paces:
        defaults = UNLIMITED if self.is_dev else Paces()
        kinds = Paces.__struct_fields__
        chosen = (getattr(self.settings, f"pace_{kind}") for kind in kinds)
        return Paces(*(getattr(defaults, k) if rate is None else rate for k, rate in zip(kinds, chosen, strict=True)))

    def _terms(self) -> Terms:
        settings, is_strict = self.settings, not self.is_dev
        campaign, verification = settings.campaign_registration, settings.toll_free_verification
        return Terms(
            is_strict if campaign is None else campaign,
            is_strict if verification is None else verification,
            settings.pace_low_trust,
            settings.pace_medium_trust,
            settings.pace_high_trust,
            settings.brand_daily_cap,
        )

    def _keyword_replies(self) -> KeywordReplies:
        settings, own = self.settings, KeywordReplies()
        return KeywordReplies(
            stop=own.stop if settings.opt_out_reply is None else settings.opt_out_reply,
            start=own.start if settings.opt_in_reply is None else settings.opt_in_reply,
            help=own.help if settings.help_reply is None else settings.help_reply,
        )

    async def _prepare_accounts(self) -> None:
        """Make the first account, or bring it in line with the settings; own the dev profile's numbers."""
        settings = self.settings
        account_id = None
        if settings.account_sid is not None:
            account_id = ids.parse_sid(settings.account_sid, ("AC",))
            if account_id is None:
                raise SettingsError("account_sid: it is `AC` and 32 hex digits")
        token = settings.secrets.auth_token
        account, self.is_first_start = await self.accounts.first(
            "First account", account_id, token.reveal() if token else None
        )
        if not self.is_first_start and token is not None and account.auth_token != token:
            account = await self.accounts.rotate(account, token)
        self.first_account = account
        if self.is_dev:
            for address in SEED_NUMBERS:
                await self.numbers.own(self.numbers.blank(account.id, address, "twilio"))


def _table(setting: str, path: str | None, read: Callable[[str | None], T]) -> T:
    """What a table says; its rows are ours, but for those of the file that the setting names. Raises SettingsError."""
    try:
        return read(None if path is None else Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tables.TableError) as error:
        raise SettingsError(f"{setting} {path}: {error}") from None


def _trust(ca_file: str | None) -> ssl.SSLContext | None:
    """What trusts a file's authorities too; None for the usual. Raises OSError."""
    if ca_file is None:
        return None
    context = ssl.create_default_context()
    context.load_verify_locations(ca_file)
    return context


def _reachable(host: str) -> str:
    """An address under which a server that listens on `host` is reached from this machine."""
    if host in ("0.0.0.0", "::", ""):  # noqa: S104 - compared with, not bound to
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
