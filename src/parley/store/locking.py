"""Lock a row that may not be there yet: one that is not there cannot be locked."""

from sqlalchemy import Table

from parley.store.engine.statements import Insert, Lookup, Operation, Row


def lock(table: Table, columns: tuple[str, ...], keys: tuple[str, ...], otherwise: Row) -> Operation[Row]:
    """The `columns` of the row that has the `keys` of `otherwise`, which is made of that where there is none: by
    whichever node is first. Until the commit it is this transaction's.
    """
    names = tuple(table.c.keys())
    key = tuple(otherwise[names.index(each)] for each in keys)
    rows = yield Lookup(table, columns, keys, [key], lock=True)
    if not rows:
        yield Insert(table, [otherwise], ignore=True)
        rows = yield Lookup(table, columns, keys, [key], lock=True)
    return rows[0]
