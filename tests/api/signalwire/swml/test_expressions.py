"""Conditions of calling documents: JavaScript's answers where they are part of it, and a refusal beyond."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.api.signalwire.calling import methods
from parley.api.signalwire.swml.expressions import expression, is_true
from parley.api.signalwire.swml.fault import Faulty
from parley.api.signalwire.swml.variables import at_path

ROOTS: dict[str, Any] = {
    "call": {"type": "Phone", "from": "+15550001111"},
    "vars": {
        "n": 5,
        "digits": "2",
        "empty": "",
        "list": [1],
        "yes": True,
        "object": {"a": {"b": "c"}},
        "spaced": " A b ",
    },
    "params": {},
}

VALUES: list[tuple[str, Any]] = [
    ("1", 1),
    ("1.5", 1.5),
    ("-1", -1),
    ("- -1", 1),
    ("'a'", "a"),
    ('"a\'b"', "a'b"),
    ("true", True),
    ("null", None),
    ("undefined", None),
    ("call.type", "Phone"),
    ("vars.n", 5),
    ("n", 5),
    ("object.a['b']", "c"),
    ('object["a"].b', "c"),
    ("list[0]", 1),
    ("nothing.at.all", None),
    ("__import__", None),
    ("call.type.toLowerCase()", "phone"),
    ("call.type.toUpperCase()", "PHONE"),
    ("spaced.trim().toLowerCase()", "a b"),
    ("'X'.toLowerCase()", "x"),
    ("(call.type).toLowerCase()", "phone"),
    ("nothing.toLowerCase()", ""),
    ("1 + 2 - 4", -1),
    ("'a' + 1 + true", "a1true"),
    ("n + 1", 6),
    ("digits - 1", 1),
    ("'x' - 1", None),
    ("list + ''", "[1]"),
    ("1 == 1", True),
    ("digits == 2", True),
    ("digits === 2", False),
    ("digits === '2'", True),
    ("digits != 2", False),
    ("digits !== 2", True),
    ("5.0 === n", True),
    ("yes == 1", True),
    ("yes === 1", False),
    ("null == undefined", True),
    ("null == 0", False),
    ("empty == 0", True),
    ("'x' == 1", False),
    ("list == 1", False),
    ("n < 6", True),
    ("n <= 5", True),
    ("n > 5", False),
    ("n >= 5", True),
    ("'10' < '9'", True),
    ("'10' < 9", False),
    ("'x' < 1", False),
    ("list > 0", False),
    ("!n", False),
    ("!empty", True),
    ("!(n == 5)", False),
    ("empty || 'b'", "b"),
    ("n && 'b'", "b"),
    ("empty && nothing", ""),
    ("n == 5 && digits == 2 || false", True),
    ("false && true || true", True),
    ("true || false && false", True),
    ("1 < 2 == true", True),
]


def test_a_number_beyond_all_is_infinite() -> None:
    assert expression("n < 5")(lambda _: -(10**400)) is True
    assert expression("n - 1")(lambda _: 10**400) == math.inf


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_values(text: str, value: Any) -> None:
    found = expression(text)(lambda path: at_path(ROOTS, path))
    assert found == value
    assert isinstance(found, bool) == isinstance(value, bool)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1 +",
        "= 1",
        "x = 1",
        "(1",
        "1)",
        "a b",
        "a..b",
        "'a",
        "f()",
        "x.constructor()",
        "x.toLowerCase(1)",
        "`a`",
        "a ? b : c",
        "[1]",
        "{}",
        "x[y]",
        "1;2",
        "import('os')",
        "é",
        "(" * 30 + "1" + ")" * 30,
        "!" * 30 + "1",
        "1+" * 600 + "1",
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(Faulty) as raised:
        expression(text)
    assert raised.value.word == "swml_invalid_document"


@pytest.mark.parametrize(
    ("value", "truth"), [([], True), ({}, True), ("", False), ("0", True), (0, False), (None, False)]
)
def test_truth(value: Any, truth: bool) -> None:
    assert is_true(value) is truth


_PIECES = [
    "n",
    "call.type",
    "'a'",
    "1",
    "(",
    ")",
    "!",
    "-",
    "+",
    "==",
    "===",
    "<",
    "&&",
    "||",
    ".trim()",
    " ",
    "list",
    "null",
]


@settings(max_examples=200)
@given(st.lists(st.sampled_from(_PIECES), max_size=12).map("".join) | st.text(max_size=20))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        found = expression(text)(lambda path: at_path(ROOTS, path))
    except Faulty:
        return
    assert found is None or isinstance(found, (bool, int, float, str, list, dict))


_STEP = st.sampled_from(sorted(methods.METHODS))
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(["say:${n}", "n == 1", "main"]),
    lambda inner: (
        st.lists(inner | st.dictionaries(_STEP, inner, max_size=1), max_size=3)
        | st.dictionaries(
            st.sampled_from(["url", "urls", "when", "then", "else", "case", "variable", "dest", "x"]), inner
        )
    ),
    max_leaves=8,
)


@settings(max_examples=150)
@given(st.lists(st.dictionaries(_STEP, _VALUES, min_size=1, max_size=1), max_size=3))
def test_any_calling_document_is_read_or_refused(steps: Any) -> None:
    try:
        program = methods.read({"sections": {"main": steps}})
    except Faulty as error:
        assert error.word.startswith("swml_")  # noqa: PT017 - the other outcome is as good
        return
    assert len(program.sections["main"]) == len(steps)
