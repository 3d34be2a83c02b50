"""What a seed decides from the start, and the addresses that every history has."""

import random
from typing import Final

import msgspec

from parley.core.outcomes import UncertainPolicy

PLAIN: Final = "+15551234567"
"""A number of no service, Twilio's way: it honours STOP by itself."""
SIGNALWIRES: Final = "+15551234568"
"""A number as SignalWire has it: it leaves STOP to the app."""
POOL: Final = ("+15551230001", "+15551230002", "+15551230003")
"""The numbers of the messaging service, of which a history has the first few."""
CONTEXT: Final = "office"
"""What Relay's clients receive."""
PHONES: Final = ("+15557000001", "+15557000002", "+15557000003", "+15557000004")


class Plan(msgspec.Struct, frozen=True):
    """One seed's decisions."""

    deduplicates: bool
    refs: bool
    policy: UncertainPolicy
    nodes: int
    messages: int
    inbound: int
    """Messages that phones write."""
    phones: int
    pool: int
    """Numbers of the service."""
    is_sticky: bool
    faults: float
    """How often a transaction fails, before its commit or after."""
    clock_jumps: bool
    deaths: int
    halts: int
    """How often a node stands still, perhaps beyond its lease, and goes on."""
    outage: bool
    paced: bool
    held: int
    subscribers: int
    """Relay's clients."""


def draw(chance: random.Random) -> Plan:
    """Draw a plan."""
    return Plan(
        deduplicates=chance.random() < 0.4,
        refs=chance.random() < 0.7,
        policy="resend" if chance.random() < 0.3 else "hold",
        nodes=chance.choice((1, 1, 2, 2, 3)),
        messages=chance.randint(1, 10),
        inbound=chance.choice((0, 0, 2, 4, 8)),
        phones=chance.randint(1, len(PHONES)),
        pool=chance.randint(1, len(POOL)),
        is_sticky=chance.random() < 0.7,
        faults=chance.choice((0.0, 0.0, 0.05, 0.2)),
        clock_jumps=chance.random() < 0.3,
        deaths=chance.choice((0, 0, 1, 1, 2)),
        halts=chance.choice((0, 0, 0, 1, 2)),
        outage=chance.random() < 0.3,
        paced=chance.random() < 0.2,
        held=chance.choice((2, 100, 100)),
        subscribers=chance.choice((0, 0, 1, 2, 3)),
    )
