"""The durable record: the only place with SQL. Operations are generators of statements that either engine runs.

What the rest of Parley may know of the engines stands here; which one it is, only `app` knows.
"""

from parley.store.engine.engine import Engine
from parley.store.engine.group import Lane
from parley.store.engine.news import News
from parley.store.engine.statements import Operation, StoreUnavailable

__all__ = ["Engine", "Lane", "News", "Operation", "StoreUnavailable"]
