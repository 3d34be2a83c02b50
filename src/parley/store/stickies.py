"""Choose the sender of what a service writes: the one that it last wrote to the recipient from, while it may.

Who that was is read from the messages themselves, by the index of their recipients, which taking the message touches
anyway. A table of its own cost a page in a random place for each message.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from parley.store import schema
from parley.store.engine.statements import Newest, Operation

_LOOKS_BACK: Final = 100
"""Of a recipient's newest messages, how many are looked at for one of the service."""


class Doom(msgspec.Struct, frozen=True):
    """How a message ends that is taken, and will surely not arrive: without a submit."""

    status: Literal["failed", "undelivered"]
    code: int


class Option(msgspec.Struct, frozen=True):
    """What sending from one address takes: microseconds of its pace for each segment. `sort` says what it is."""

    segment_us: float = 0.0
    sort: str = "long_code"


class Choice(msgspec.Struct, frozen=True):
    """From whom a service writes: from `sender`, unless it is sticky and `options` have the recipient's last one."""

    service_id: bytes
    sender: str
    why: str
    options: Mapping[str, Option]
    """The sender itself, and who else may go on writing to the recipient, by address."""
    is_sticky: bool
    dooms: Mapping[str, Doom] = {}
    """How the message is sure to end, by the sort of its sender."""


class Chosen(msgspec.Struct, frozen=True):
    """The sender of one message, and why."""

    sender: str
    why: str
    option: Option


def choose(asked: Sequence[tuple[Choice, bytes, str]]) -> Operation[list[Chosen]]:
    """The sender of each message, given as a choice, the account and the recipient; one for each, in order.

    The first message to a recipient decides for those behind it. Two nodes that write to one for the first time in the
    same moment may choose differently; the later message is what is followed.
    """
    rows = list({(account_id, to, choice.service_id): None for choice, account_id, to in asked if choice.is_sticky})
    known: dict[tuple[bytes, str], str] = {}
    if rows:
        found = yield Newest(schema.messages, "sender", "messages_recipient", ("service_id",), _LOOKS_BACK, rows)
        known = {(service_id, to): sender for _, to, service_id, sender in found}
    chosen: list[Chosen] = []
    for choice, _, to in asked:
        pair = (choice.service_id, to)
        before = known.get(pair)
        if choice.is_sticky and before is not None and (option := choice.options.get(before)) is not None:
            chosen.append(Chosen(before, "sticky", option))
        else:
            known[pair] = choice.sender
            chosen.append(Chosen(choice.sender, choice.why, choice.options[choice.sender]))
    return chosen
