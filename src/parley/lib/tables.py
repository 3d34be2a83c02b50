"""Read tables of tab-separated text, whose first line names the columns: data that operators may replace."""

from collections.abc import Callable
from typing import TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)
K = TypeVar("K")


class TableError(ValueError):
    """A table that cannot be read; the text names the line and says what is wrong with it."""


def read(text: str, row: type[T], key: Callable[[T], K]) -> dict[K, T]:
    """The rows of a table by their keys, each as a `row`, whose fields are the columns; empty lines are none.

    Raises TableError, also where two rows have one key: one of them would be passed over in silence.
    """
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise TableError("line 1: the names of the columns are missing")
    first, header = lines[0]
    columns = header.split("\t")
    if len(set(columns)) < len(columns):
        raise TableError(f"line {first}: a column is named twice")
    found: dict[K, T] = {}
    numbers: dict[K, int] = {}
    for number, line in lines[1:]:
        cells = line.split("\t")
        if len(cells) != len(columns):
            raise TableError(f"line {number}: {len(columns)} columns are wanted, and there are {len(cells)}")
        try:
            made = msgspec.convert(dict(zip(columns, cells, strict=True)), row, strict=False)
        except msgspec.ValidationError as error:
            raise TableError(f"line {number}: {error}") from None
        if (before := numbers.setdefault(key(made), number)) != number:
            raise TableError(f"line {number}: it stands for the same as line {before}")
        found[key(made)] = made
    return found
