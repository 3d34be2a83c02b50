"""What programs consist of: a step for each method that every kind of document has, with its parameters as given."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from parley.api.signalwire.swml.expressions import Expression
from parley.api.signalwire.swml.variables import as_text

TRANSFORMS: Final[dict[str, Callable[[str], str]]] = {
    "lowercase": str.lower,
    "uppercase": str.upper,
    "trim": str.strip,
    "lowercase_trim": lambda text: text.strip().lower(),
    "uppercase_trim": lambda text: text.strip().upper(),
}


class Step(msgspec.Struct, frozen=True):
    """One method with its parameters, whose texts may hold variables."""


Section = tuple[Step, ...]


class Program(msgspec.Struct, frozen=True):
    """A document's sections; it begins with `main`."""

    sections: Mapping[str, Section]


class Label(Step, frozen=True):
    """A place that goto leads to."""

    name: str


class Goto(Step, frozen=True):
    """Go on at a label, so many times at most, and only while a condition holds."""

    label: str
    most: int
    when: Expression | None = None


class Return(Step, frozen=True):
    """Leave the section with a value."""

    value: Any


class Switch(Step, frozen=True):
    """Choose by a variable's value. Cases hold steps; those of a reply, replies."""

    variable: str
    transform: str | None
    cases: Mapping[str, Any]
    default: Any

    def choose(self, value: Any) -> Any:
        """What is to be done for a value; None when nothing is."""
        text = as_text(value)
        if self.transform is not None:
            text = TRANSFORMS[self.transform](text)
        return self.cases.get(text, self.default)


class Branch(msgspec.Struct, frozen=True):
    """Steps and the condition under which they are carried out; None: whatever holds."""

    when: Expression | None
    steps: Section


class Cond(Step, frozen=True):
    """Carry out the first branch whose condition holds."""

    branches: tuple[Branch, ...]


class Assign(Step, frozen=True):
    """Set variables (`set`)."""

    values: Mapping[str, Any]


class Request(Step, frozen=True):
    """Ask a server, and keep its answer."""

    url: str
    method: str
    headers: Mapping[str, Any]
    body: Any
    timeout_s: float
    saves: bool
    result: Switch | Cond | None = None


class Execute(Step, frozen=True):
    """Carry a section out, and come back."""

    dest: str
    params: Mapping[str, Any]
    on_return: Section = ()
    result: Switch | Cond | None = None


class Transfer(Step, frozen=True):
    """Go on with another document, and do not come back."""

    dest: str
    method: str
    params: Mapping[str, Any]
