"""The sending part of a node, as the app builds it for the dev profile, for tests that build a node by hand."""

from typing import Any

from parley.core.accounts import Accounts
from parley.core.allowances import Allowances
from parley.core.channels import Channels
from parley.core.links import ShortLinks
from parley.core.numbers import Numbers
from parley.core.pacing import Paces
from parley.core.prices import Prices
from parley.core.quiet_hours import Quiet
from parley.core.record import Record
from parley.core.registration import Registration, Terms
from parley.core.release import Release
from parley.core.resources import Resources
from parley.core.review import Registry
from parley.core.schedule import Schedule, Window
from parley.core.send import Sending
from parley.core.sender_rules import SenderRules
from parley.core.senders import Senders
from parley.core.services import Services
from parley.core.usage import Usage
from parley.lib.clock import Clock
from parley.model import price, sender_rule
from parley.model.allowance import Allowance
from parley.model.application import Application
from parley.model.caller_id import CallerId
from parley.model.channel import ChannelSender
from parley.model.handler import MessageHandler
from parley.model.link import LinkDomain
from parley.model.registry import Assignment, Brand, Campaign, Order, TollFreeVerification, Vetting
from parley.model.service import PoolSender, QuietHours, Service
from parley.store.vault import Vault
from tests.carriers.dice import Dice


class Outbound:
    """What a node sends by. Nothing is refused for a country's or a registry's sake."""

    def __init__(self, record: Record, clock: Clock, paces: Paces) -> None:
        def kind(name: str, type_: type[Any], children: tuple[str, ...] = ()) -> Resources[Any]:
            return Resources(record.engine, clock, record.ids, name, type_, children)

        self.services: Resources[Service] = kind("service", Service, ("pool_sender",))
        self.pool_senders: Resources[PoolSender] = kind("pool_sender", PoolSender)
        self.applications: Resources[Application] = kind("application", Application)
        self.numbers = Numbers(
            record.engine, clock, record.ids, self.applications, kind("handler", MessageHandler), own_on_use=True
        )
        registry = Registry(
            kind("brand", Brand), kind("vetting", Vetting), kind("campaign", Campaign),
            kind("verification", TollFreeVerification), kind("order", Order), kind("assignment", Assignment),
            kind("channel_sender", ChannelSender),
        )  # fmt: skip
        self.channels = Channels(record.engine, clock, registry.channel_senders)
        terms = Terms(needs_campaign=False, needs_verification=False)
        registration = Registration(record.engine, clock, self.pool_senders, registry, terms)
        rules = SenderRules(sender_rule.read(None), strict=False)
        self.pools = Services(
            record.engine, clock, self.services, self.pool_senders, self.channels, registration, rules, paces
        )
        self.caller_ids: Resources[CallerId] = kind("caller_id", CallerId)
        self.senders = Senders(
            self.numbers, self.pools, self.channels, self.caller_ids, rules, registration, paces, clock
        )
        self.prices = Prices(price.read(None))
        self.quiet = Quiet(record.engine, kind("quiet_hours", QuietHours), self.services, clock)
        self.schedule = Schedule(record.engine, clock, self.quiet, Window())
        accounts = Accounts(record.engine, Vault(b"v" * 32), clock, record.ids, lambda: "a token")
        usage = Usage(record.engine, clock)
        self.allowances = Allowances(kind("allowance", Allowance), accounts, usage, clock, Allowance())
        self.links = ShortLinks(
            record.engine, kind("link_domain", LinkDomain), "https://short.test", clock, record.ids, Dice(7),
            lambda visit: {"link": visit.link.url}, lambda: None,
        )  # fmt: skip
        self.sending = Sending(
            record,
            clock,
            self.senders,
            self.pools,
            self.channels,
            self.applications,
            self.prices,
            self.allowances,
            self.schedule,
            self.links,
            strict=False,
        )
        self._record, self._clock = record, clock

    def release(self, accounts: Accounts) -> Release:
        """What lets messages go later."""
        return Release(
            self._record, self.schedule, self.sending, self.senders, self.pools, accounts, self.allowances, self._clock
        )
