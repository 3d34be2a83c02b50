"""Find what is served at a path: a tree of its segments, so that the number of paths costs nothing."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")

_PARAMETER: Final = re.compile(r"([^{}]*)\{([A-Za-z_]\w*)\}([^{}]*)")
_KNOWN: Final = 1024
"""Paths whose way through the tree is remembered: an account creates its messages at one, as often as it likes."""
_SHORT: Final = 200
"""Characters at most of what is remembered: clients make paths up."""


class Found(NamedTuple, Generic[T]):
    """What is served at a path, and the values of its parameters by name."""

    value: T
    parameters: Mapping[str, str]


class _Node(Generic[T]):
    __slots__ = ("end", "literals", "patterns")

    def __init__(self) -> None:
        self.literals: dict[str, _Node[T]] = {}
        self.patterns: dict[tuple[str, str], _Node[T]] = {}
        """By what stands before and behind the parameter."""
        self.end: tuple[T, list[str]] | None = None

    def find(self, segments: list[str], at: int, values: list[str]) -> tuple[T, list[str]] | None:
        """What is served at the segments from `at` on; `values` takes those of parameters."""
        if at == len(segments):
            return self.end
        segment = segments[at]
        below = self.literals.get(segment)
        if below is not None and (found := below.find(segments, at + 1, values)) is not None:
            return found
        for (before, behind), below in self.patterns.items():
            size = len(segment) - len(before) - len(behind)
            if size > 0 and segment.startswith(before) and segment.endswith(behind):
                values.append(segment[len(before) : len(before) + size])
                if (found := below.find(segments, at + 1, values)) is not None:
                    return found
                values.pop()
        return None


class Paths(Generic[T]):
    """What is served by path. A segment that is spelled out goes before one with a parameter; of those, the first."""

    def __init__(self) -> None:
        self._root = _Node[T]()
        self._known = lru_cache(_KNOWN)(self._find)

    def add(self, template: str, value: T) -> None:
        """Serve `value` at paths like `/Messages/{Sid}.json`: one parameter a segment at most, never empty."""
        node, names = self._root, list[str]()
        for segment in template.split("/"):
            if "{" not in segment:
                node = node.literals.setdefault(segment, _Node())
                continue
            parts = _PARAMETER.fullmatch(segment)
            if parts is None:
                raise ValueError(f"{template} has a segment that is no literal and no parameter: {segment}")
            names.append(parts[2])
            node = node.patterns.setdefault((parts[1], parts[3]), _Node())
        if node.end is not None:
            raise ValueError(f"{template} is served already")
        node.end = (value, names)
        self._known.cache_clear()

    def find(self, path: str) -> Found[T] | None:
        """What is served at a path, if anything."""
        return self._known(path) if len(path) <= _SHORT else self._find(path)

    def _find(self, path: str) -> Found[T] | None:
        values: list[str] = []
        found = self._root.find(path.split("/"), 0, values)
        return None if found is None else Found(found[0], dict(zip(found[1], values, strict=True)))
