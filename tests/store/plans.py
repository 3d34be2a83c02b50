"""Ask SQLite how it would read: with the very statement that an operation makes, on the engine that would run it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ClauseElement, Executable
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from parley.store import Engine, Operation
from parley.store.engine.statements import Execute, Query, Row


class _Explain(Executable, ClauseElement):
    inherit_cache = False

    def __init__(self, statement: Any) -> None:
        self.statement = statement


@compiles(_Explain)
def _explain(element: _Explain, compiler: SQLCompiler, **options: Any) -> str:
    return f"EXPLAIN QUERY PLAN {compiler.process(element.statement, **options)}"


async def plan(engine: Engine, operation: Operation[Any], *answers: list[Row]) -> list[str]:
    """The steps of an operation's query, or, with answers to its first ones, of the query behind those."""
    return await engine.read(_planned, operation, answers)


def _planned(operation: Operation[Any], answers: Sequence[list[Row]]) -> Operation[list[str]]:
    statement = next(operation)
    for answer in answers:
        statement = operation.send(answer)
    assert isinstance(statement, Query)
    rows = yield Execute(_Explain(statement.select))
    return [row[3] for row in rows]
