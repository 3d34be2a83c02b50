"""Read a document into a program: sections of steps, all of them known methods with the parameters that they take.

A document is read whole before any of it is carried out: half a document done would be worse than none.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from parley.api.signalwire.swml.expressions import Expression, expression
from parley.api.signalwire.swml.fault import Faulty
from parley.api.signalwire.swml.given import Given
from parley.api.signalwire.swml.steps import (
    TRANSFORMS,
    Assign,
    Branch,
    Cond,
    Execute,
    Goto,
    Label,
    Program,
    Request,
    Return,
    Section,
    Step,
    Switch,
    Transfer,
)
from parley.api.signalwire.swml.variables import EITHER

MAX_JUMPS: Final = 100
REQUEST_S: Final = 5.0
"""Seconds that a request may take, at most and unless it says less."""
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_OUR_HEADERS: Final = frozenset(
    {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "expect",
        "x-signalwire-signature",
        "x-signalwire-sha256-signature",
    }
)
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
"""A header's name. Source: RFC 9110's token."""


class Reader:
    """Reads one kind of documents, by a table of its methods."""

    def __init__(self, methods: Mapping[str, Callable[["Reader", Any], Step]]) -> None:
        self._methods = methods

    def sections(self, value: Any) -> Program:
        """The value of `sections`. Raises Faulty."""
        if not isinstance(value, dict) or "main" not in value:
            raise Faulty("swml_missing_entry_point", "sections has no main")
        return Program({name: self.section(steps, name) for name, steps in value.items()})

    def section(self, value: Any, where: str) -> Section:
        """An array of steps. Raises Faulty."""
        if not isinstance(value, list):
            raise Faulty("swml_invalid_section_format", f"{where[:40]} is not an array")
        return tuple(map(self.step, value))

    def step(self, value: Any) -> Step:
        """An object of one method, or a method's name. Raises Faulty."""
        if isinstance(value, str):
            value = {value: None}
        if not isinstance(value, dict) or len(value) != 1:
            raise Faulty("swml_invalid_section_format", "a step is not an object of one method")
        name, parameters = next(iter(value.items()))
        read = self._methods.get(name)
        if read is None:
            raise Faulty("swml_unsupported_method", f"{name[:40]} is not a method that is carried out here")
        return read(self, parameters)


def read_label(reader: Reader, value: Any) -> Label:
    """`label`: a name."""
    return Label(Given("label", value, {"label"}, "label").required("label"))


_GOTO: Final = frozenset({"label", "max"})


def read_goto(reader: Reader, value: Any) -> Goto:
    """`goto`: a label, or `{label, max}`."""
    return _goto(Given("goto", value, _GOTO, "label"))


def read_calling_goto(reader: Reader, value: Any) -> Goto:
    """The same in calls, with `when`."""
    given = Given("goto", value, {*_GOTO, "when"}, "label")
    when = given.text("when")
    return msgspec.structs.replace(_goto(given), when=None if when is None else _condition(when))


def _goto(given: Given) -> Goto:
    return Goto(given.required("label"), given.whole("max", MAX_JUMPS, MAX_JUMPS))


def read_return(reader: Reader, value: Any) -> Return:
    """`return`: any value."""
    return Return(value)


def read_switch(reader: Reader, value: Any) -> Switch:
    """`switch`: `{variable, transform, case, default}`, whose cases are steps."""
    return read_cases(value, reader.section)


def read_cases(value: Any, read: Callable[[Any, str], Any], variable: str | None = None) -> Switch:
    """A switch, whose cases `read` reads. `variable` is what it looks at unless it says."""
    given = Given("switch", value, {"variable", "transform", "case", "default"})
    transform = given.text("transform")
    if transform is not None and transform not in TRANSFORMS:
        raise Faulty("swml_switch_invalid_transform", f"{transform[:40]} is not one of {', '.join(TRANSFORMS)}")
    return Switch(
        given.required("variable") if variable is None else given.text("variable") or variable,
        transform,
        {name: read(case, name) for name, case in given.object("case").items()},
        read(given.values["default"], "default") if given.values.get("default") is not None else None,
    )


def read_cond(reader: Reader, value: Any) -> Cond:
    """`cond`: an array of `{when, then}`, the last of which may have an `else` or be one."""
    if not isinstance(value, list) or not value:
        raise Faulty("swml_invalid_document", "cond is not an array of conditions")
    branches: list[Branch] = []
    for each in value:
        given = Given("cond", each, {"when", "then", "else"})
        if "when" in given.values:
            branches.append(
                Branch(_condition(given.required("when")), reader.section(given.values.get("then"), "then"))
            )
        elif "else" not in given.values:
            raise Faulty("swml_invalid_document", "a condition has neither when nor else")
        if "else" in given.values:
            branches.append(Branch(None, reader.section(given.values["else"], "else")))
    return Cond(tuple(branches))


def _condition(text: str) -> Expression:
    """A condition, in which a variable may stand in braces as well."""
    return expression(EITHER.sub(r"(\1)", text))


def read_set(reader: Reader, value: Any) -> Assign:
    """`set`: an object of variables."""
    if not isinstance(value, dict):
        raise Faulty("swml_invalid_document", "set is not an object")
    return Assign(value)


_REQUEST: Final = frozenset({"url", "method", "headers", "body", "timeout", "save_variables"})


def read_request(reader: Reader, value: Any) -> Request:
    """`request`: `{url, method, headers, body, timeout, save_variables}`."""
    return _request(Given("request", value, _REQUEST))


def read_calling_request(reader: Reader, value: Any) -> Request:
    """The same in calls, with `connect_timeout`, and `result` to choose by."""
    given = Given("request", value, {*_REQUEST, "connect_timeout", "result"})
    given.number("connect_timeout", REQUEST_S, REQUEST_S)
    return msgspec.structs.replace(_request(given), result=_result(reader, given, "request_response"))


def _request(given: Given) -> Request:
    headers = given.object("headers")
    for name in headers:
        if name.lower() in _OUR_HEADERS:
            raise Faulty("swml_invalid_document", f"the header {name[:40]} is not a request's to set")
        if _HEADER.fullmatch(name) is None:
            raise Faulty("swml_invalid_document", f"{name[:40]} is no name of a header")
    return Request(
        given.required("url", "swml_request_url_required"),
        given.choice("method", METHODS, "POST"),
        headers,
        given.values.get("body"),
        given.number("timeout", REQUEST_S, REQUEST_S),
        given.flag("save_variables"),
    )


def read_execute(reader: Reader, value: Any) -> Execute:
    """`execute`: a destination (a section, a URL, or a document in JSON), or `{dest, params}`."""
    given = Given("execute", value, {"dest", "params"}, "dest")
    return Execute(given.required("dest"), given.object("params"))


def read_calling_execute(reader: Reader, value: Any) -> Execute:
    """The same in calls, with what is to be done on return."""
    given = Given("execute", value, {"dest", "params", "meta", "on_return", "result"}, "dest")
    on_return = given.values.get("on_return")
    return Execute(
        given.required("dest"),
        given.object("params"),
        () if on_return is None else reader.section(on_return, "on_return"),
        _result(reader, given, "return_value"),
    )


def read_transfer(reader: Reader, value: Any) -> Transfer:
    """`transfer`: a destination as execute's, or `{dest, method, params}`."""
    given = Given("transfer", value, {"dest", "method", "params"}, "dest")
    dest = given.required("dest", "swml_transfer_failed")
    return Transfer(dest, given.choice("method", METHODS, "POST"), given.object("params"))


def read_calling_transfer(reader: Reader, value: Any) -> Transfer:
    """The same in calls, where `meta` is the app's own."""
    given = Given("transfer", value, {"dest", "params", "meta"}, "dest")
    return Transfer(given.required("dest", "swml_transfer_failed"), "POST", given.object("params"))


def _result(reader: Reader, given: Given, variable: str) -> Switch | Cond | None:
    """What to do by a result: a switch when it is an object, a cond when it is an array."""
    value = given.values.get("result")
    if value is None:
        return None
    if isinstance(value, list):
        return read_cond(reader, value)
    return read_cases(value, reader.section, variable)
