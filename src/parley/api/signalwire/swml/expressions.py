"""The conditions of `cond` and what stands in `${...}`: paths, comparisons and logic of JavaScript, and nothing else.

An expression is read once into functions and then asked; nothing of it is ever handed to an interpreter.
"""

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from parley.api.signalwire.swml.fault import Faulty
from parley.api.signalwire.swml.variables import MAX_WEIGHT, PATH, as_text, too_heavy

Lookup = Callable[[str], Any]
Expression = Callable[[Lookup], Any]

MAX_LENGTH: Final = 1000
"""Characters of an expression."""
_MAX_DEPTH: Final = 20
"""Parentheses and negations inside one another."""

_CALLS: Final[dict[str, Callable[[str], str]]] = {
    "toLowerCase": str.lower,
    "toUpperCase": str.upper,
    "trim": str.strip,
}
_WORDS: Final[dict[str, Any]] = {"true": True, "false": False, "null": None, "undefined": None}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<text>'[^']*'|\"[^\"]*\")"
    rf"|(?P<path>{PATH.pattern})|(?P<sign>===|!==|==|!=|<=|>=|&&|\|\||[<>!()+-]))",
    re.ASCII,
)
_CALL = re.compile(rf"\.({'|'.join(_CALLS)})\(\s*\)")


@lru_cache(maxsize=1024)
def expression(text: str) -> Expression:
    """An expression, read. Raises Faulty(swml_invalid_document) for what it is not."""
    if len(text) > MAX_LENGTH:
        raise Faulty("swml_invalid_document", f"an expression has at most {MAX_LENGTH} characters")
    parser = _Parser(text)
    read = parser.either()
    parser.end()
    return read


def is_true(value: Any) -> bool:
    """JavaScript's truth: an empty object or array is true."""
    return isinstance(value, (dict, list)) or bool(value)


class _Parser:
    """One expression's text, and how far it is read. Each method reads one level of precedence."""

    def __init__(self, text: str) -> None:
        self._text = text.strip()
        self._at = 0
        self._depth = 0

    def end(self) -> None:
        if self._at < len(self._text):
            raise self._fault()

    def either(self) -> Expression:
        left = self.both()
        while self._take("||"):
            left = _or(left, self.both())
        return left

    def both(self) -> Expression:
        left = self.comparison()
        while self._take("&&"):
            left = _and(left, self.comparison())
        return left

    def comparison(self) -> Expression:
        left = self.sum()
        while sign := self._take("===", "!==", "==", "!=", "<=", ">=", "<", ">"):
            left = _compared(sign, left, self.sum())
        return left

    def sum(self) -> Expression:
        left = self.unary()
        while sign := self._take("+", "-"):
            left = _added(sign, left, self.unary())
        return left

    def unary(self) -> Expression:
        sign = self._take("!", "-", "(")
        if not sign:
            return self.value()
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise Faulty("swml_invalid_document", "an expression is nested too deep")
        if sign == "(":
            inner = self.either()
            if not self._take(")"):
                raise self._fault()
            found = self._called(inner)
        else:
            found = _negated(sign, self.unary())
        self._depth -= 1
        return found

    def value(self) -> Expression:
        match = _TOKEN.match(self._text, self._at)
        if match is None or match["sign"]:
            raise self._fault()
        self._at = match.end()
        if match["number"]:
            return _constant(float(match["number"]))
        if match["text"]:
            return self._called(_constant(match["text"][1:-1]))
        path = match["path"]
        name, dot, last = path.rpartition(".")
        if dot and last in _CALLS and self._text.startswith("(", self._at):
            self._at = match.end() - len(last) - 1
            path = name
        if path in _WORDS:
            return _constant(_WORDS[path])
        return self._called(lambda lookup: lookup(path))

    def _called(self, on: Expression) -> Expression:
        while match := _CALL.match(self._text, self._at):
            self._at = match.end()
            on = _call(_CALLS[match[1]], on)
        return on

    def _take(self, *signs: str) -> str:
        match = _TOKEN.match(self._text, self._at)
        if match is None or match["sign"] not in signs:
            return ""
        self._at = match.end()
        return match["sign"]

    def _fault(self) -> Faulty:
        return Faulty("swml_invalid_document", f"the expression {self._text[:60]} cannot be read at {self._at}")


def _constant(value: Any) -> Expression:
    def evaluate(_: Lookup) -> Any:
        return value

    return evaluate


def _or(left: Expression, right: Expression) -> Expression:
    def evaluate(lookup: Lookup) -> Any:
        value = left(lookup)
        return value if is_true(value) else right(lookup)

    return evaluate


def _and(left: Expression, right: Expression) -> Expression:
    def evaluate(lookup: Lookup) -> Any:
        value = left(lookup)
        return right(lookup) if is_true(value) else value

    return evaluate


def _compared(sign: str, left: Expression, right: Expression) -> Expression:
    return lambda lookup: _compare(sign, left(lookup), right(lookup))


def _added(sign: str, left: Expression, right: Expression) -> Expression:
    return lambda lookup: _add(sign, left(lookup), right(lookup))


def _negated(sign: str, inner: Expression) -> Expression:
    if sign == "!":
        return lambda lookup: not is_true(inner(lookup))
    return lambda lookup: _add("-", 0, inner(lookup))


def _call(method: Callable[[str], str], on: Expression) -> Expression:
    return lambda lookup: method(as_text(on(lookup)))


def _compare(sign: str, left: Any, right: Any) -> bool:
    if sign in ("===", "!=="):
        return (_kind(left) == _kind(right) and left == right) == (sign == "===")
    if sign in ("==", "!="):
        return _equal(left, right) == (sign == "==")
    if not (isinstance(left, str) and isinstance(right, str)):
        left, right = _number(left), _number(right)
        if left is None or right is None:
            return False
    match sign:
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case _:
            return bool(left >= right)


def _equal(left: Any, right: Any) -> bool:
    """JavaScript's loose equality, for values of JSON: 1 is '1', nothing is only nothing."""
    if left is None or right is None:
        return left is right
    if _kind(left) == _kind(right) or isinstance(left, (dict, list)) or isinstance(right, (dict, list)):
        return bool(left == right)
    one, other = _number(left), _number(right)
    return one is not None and one == other


def _add(sign: str, left: Any, right: Any) -> Any:
    if sign == "+" and (isinstance(left, (str, dict, list)) or isinstance(right, (str, dict, list))):
        text = as_text(left) + as_text(right)
        if len(text) > MAX_WEIGHT:
            raise too_heavy()
        return text
    one, other = _number(left), _number(right)
    if one is None or other is None:
        return None
    return one + other if sign == "+" else one - other


def _kind(value: Any) -> type:
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


def _number(value: Any) -> float | None:
    """A value as a number, None where JavaScript says NaN."""
    if value is None:
        return 0.0
    if isinstance(value, (bool, int, float)):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return 0.0
        return float(text) if re.fullmatch(r"[-+]?[0-9]{1,300}(?:\.[0-9]+)?", text, re.ASCII) else None
    return None
