"""Read tables of tab-separated text, whose first line names the columns: data that operators may replace."""

from typing import TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


class TableError(ValueError):
    """A table that cannot be read; the text names the line and says what is wrong with it."""


def read(text: str, row: type[T]) -> list[T]:
    """The rows of a table, each as a `row`, whose fields are the columns; empty lines are none. Raises TableError."""
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise TableError("line 1: the names of the columns are missing")
    columns = lines[0][1].split("\t")
    found = []
    for number, line in lines[1:]:
        cells = line.split("\t")
        if len(cells) != len(columns):
            raise TableError(f"line {number}: {len(columns)} columns are wanted, and there are {len(cells)}")
        try:
            found.append(msgspec.convert(dict(zip(columns, cells, strict=True)), row, strict=False))
        except msgspec.ValidationError as error:
            raise TableError(f"line {number}: {error}") from None
    return found
