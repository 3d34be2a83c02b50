"""What the definitions of all tables share."""

from typing import Final, TypedDict

from sqlalchemy import BigInteger, Integer, MetaData, TextClause, text

metadata: Final = MetaData()

SEQUENCE: Final = BigInteger().with_variant(Integer(), "sqlite")
"""A number that the database gives: SQLite does so only in an INTEGER key."""


class _Where(TypedDict):
    sqlite_where: TextClause
    postgresql_where: TextClause


def where(condition: str) -> _Where:
    """What makes an index one of those rows alone of which a condition holds, on both engines."""
    return _Where(sqlite_where=text(condition), postgresql_where=text(condition))
