"""Turn statements of SQLAlchemy Core into SQL and its values, and compile what differs only by its values once.

Compiling takes SQLAlchemy 0.1 to 0.2 ms, many times what the statement takes to run: a poll every few milliseconds
would spend more on its text than on the database.
"""

from collections import OrderedDict
from typing import Any, Final

from sqlalchemy.engine import Dialect

_MOST: Final = 500


class Compiler:
    """Compiles for one dialect, whose parameters go by position. Any thread may ask: at worst two compile the same."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._known: OrderedDict[Any, Any] = OrderedDict()

    def __call__(self, statement: Any) -> tuple[str, tuple[Any, ...]]:
        """A statement's SQL and the values for its parameters, in their order."""
        # What SQLAlchemy's own engines cache by: the structure of a statement, and apart from it its values.
        key = statement._generate_cache_key()  # noqa: SLF001 - its public ways to it need an engine of its own
        if key is None:
            return self._compile_whole(statement)
        compiled = self._known.get(key.key)
        if compiled is None:
            compiled = statement.compile(dialect=self._dialect, cache_key=key)
            self._known[key.key] = compiled
            if len(self._known) > _MOST:
                self._known.popitem(last=False)
        if compiled.post_compile_params:  # the text follows the values: an IN of as many as there are
            return self._compile_whole(statement)
        values = compiled.construct_params(extracted_parameters=key.bindparams)
        return compiled.string, tuple([values[name] for name in compiled.positiontup or ()])

    def _compile_whole(self, statement: Any) -> tuple[str, tuple[Any, ...]]:
        compiled = statement.compile(dialect=self._dialect, compile_kwargs={"render_postcompile": True})
        values = compiled.params
        return str(compiled), tuple([values[name] for name in compiled.positiontup or ()])
