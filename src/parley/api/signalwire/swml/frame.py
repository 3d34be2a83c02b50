"""Where a script is: the section that is being carried out, and why a run of its steps ends."""

from collections.abc import Generator, Mapping
from typing import Any

import msgspec

from parley.api.signalwire.swml.steps import Goto, Program, Return
from parley.webhooks.render import Outcome, Verb


class Moved(msgspec.Struct, frozen=True):
    """The script goes on with another program."""

    program: Program
    section: str
    params: Mapping[str, Any]


class Ended(msgspec.Struct, frozen=True):
    """The script is over."""


Signal = Goto | Return | Moved | Ended | None
"""Why a run of steps ends before its last; None when it did not."""
Run = Generator[Verb, Outcome, Signal]


class Frame(msgspec.Struct):
    """A section that is being carried out."""

    program: Program
    params: Mapping[str, Any]
    jumps: dict[str, int] = msgspec.field(default_factory=dict)
    """To each label, how often it was gone to."""
