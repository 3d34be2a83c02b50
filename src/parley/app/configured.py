"""What is configured, as this node remembers it: the resources of each kind, and who has to forget when it changes."""

from collections.abc import Collection
from typing import Protocol, TypeVar

from parley.core.resources import Resources
from parley.lib.clock import Clock
from parley.lib.ids import Ids
from parley.store import Engine, News

T = TypeVar("T")


class Remembers(Protocol):
    """Remembers for a moment what the record said."""

    def forget(self) -> None:
        """Ask the record again."""
        ...


class Configured:
    """Makes the resources of each kind, and has everything forgotten that was configured through another node."""

    def __init__(self, engine: Engine, clock: Clock, ids: Ids) -> None:
        self._engine = engine
        self._clock = clock
        self._ids = ids
        self._remembering: list[Remembers] = []
        engine.on_news(self._heard)

    def kind(self, name: str, type_: type[T], children: Collection[str] = ()) -> Resources[T]:
        """The resources of one kind."""
        kind = Resources(self._engine, self._clock, self._ids, name, type_, children, self.forget)
        self.add(kind)
        return kind

    def add(self, part: Remembers) -> None:
        """Have a part forget with the others."""
        self._remembering.append(part)

    def forget(self) -> None:
        """Ask the record again for all that is configured."""
        for part in self._remembering:
            part.forget()

    def _heard(self, news: News) -> None:
        if News.CONFIGURATION in news:
            self.forget()
