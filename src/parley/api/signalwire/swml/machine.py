"""Carry a program out: what is the same in messages and in calls. What is needed from outside is asked for by verbs."""

import re
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from parley.api.signalwire.signed import signed
from parley.api.signalwire.swml.document import check_value
from parley.api.signalwire.swml.expressions import is_true
from parley.api.signalwire.swml.fault import Faulty
from parley.api.signalwire.swml.frame import Frame, Moved, Run, Signal
from parley.api.signalwire.swml.steps import (
    Assign,
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
from parley.api.signalwire.swml.variables import (
    MAX_HANDLED,
    MAX_KEPT,
    as_text,
    at_path,
    fill,
    fill_text,
    too_heavy,
    weigh,
)
from parley.model.account import Account
from parley.webhooks.client import Answer, FetchFailed
from parley.webhooks.render import Fetch, Outcome, Rendered, Verb

MAX_REQUESTS: Final = 10
"""Requests of one script; those beyond it are not made, and say so. Source: SWML's limits."""
MAX_DOCUMENTS: Final = 10
"""Documents that a script may fetch, one through another."""
_DOCUMENT_S: Final = 5.0
MAX_DEPTH: Final = 60
"""Sections and branches carried out inside one another, each of which takes some of Python's stack."""

_encode: Final = msgspec.json.Encoder().encode
_JSON: Final = "application/json"
_CONTENT_TYPE: Final = "content-type"
_OF_REQUESTS: Final = frozenset(
    {
        "request_url",
        "request_result",
        "request_response",
        "request_response_code",
        "request_response_headers",
        "request_response_body",
    }
)
"""Variables that tell of a request, and are no more when the next is made."""


class Machine(ABC):
    """One script's state. A kind of document adds its own methods by `act`, and says what its variables are."""

    pattern: re.Pattern[str]
    """How texts name variables."""
    most_steps: int
    in_call: bool
    """A call's switch may match nothing."""

    def __init__(self, account: Account, roots: Mapping[str, Any]) -> None:
        self.account = account
        self.vars: dict[str, Any] = {}
        self._roots = roots
        self._steps_done = 0
        self._requests = 0
        self._documents = 0
        self._depth = 0
        self._handled = 0
        self._weights: dict[str, int] = {}
        self._kept = 0

    @abstractmethod
    def act(self, step: Step, frame: Frame) -> Run:
        """Carry out a method of this kind of document."""

    @abstractmethod
    def program(self, octets: bytes) -> Program:
        """A document that was fetched. Raises Faulty."""

    def inline(self, dest: str, verb: str) -> Program | None:
        """The program that a destination in JSON is itself; None when it only names one. Raises Faulty."""
        if not dest.lstrip().startswith("{"):
            return None
        try:
            msgspec.json.decode(dest)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None
        try:
            return self.program(dest.encode("utf-8", "replace"))
        except Faulty as error:
            raise Faulty(f"swml_{verb}_document_invalid", error.plain) from None

    def run(self, program: Program, params: Mapping[str, Any]) -> Generator[Verb, Outcome, None]:
        """Carry a program out. Raises Faulty where it cannot go on."""
        to: Moved | None = Moved(program, "main", params)
        while to is not None:
            frame = Frame(to.program, to.params)
            signal = yield from self._section(to.section, frame)
            to = signal if isinstance(signal, Moved) else None

    # -- variables

    def evaluate(self, text: str, frame: Frame) -> Any:
        """What stands between the braces of a variable."""
        return self.at(text, frame)

    def at(self, path: str, frame: Frame) -> Any:
        """What a path leads to."""
        found = at_path(self.roots(frame), path)
        self._handle(weigh(found, MAX_HANDLED))
        return found

    def roots(self, frame: Frame) -> dict[str, Any]:
        """What paths begin with."""
        return {**self._roots, "params": frame.params, "vars": self.vars}

    def text(self, text: str, frame: Frame) -> str:
        """A text with its variables in place, without the NUL that an answer may have put there: not every record
        takes it.
        """
        filled = fill_text(text, self.pattern, lambda inner: self.evaluate(inner, frame))
        return filled.replace("\0", "\N{REPLACEMENT CHARACTER}")

    def given(self, text: str | None, frame: Frame) -> str | None:
        """The same of a parameter; None when it is not given, or empty, as variables are that are not set."""
        return None if text is None else self.text(text, frame) or None

    def value(self, value: Any, frame: Frame) -> Any:
        """A value with its variables in place."""
        return self._weighed(value, frame)[0]

    def _weighed(self, value: Any, frame: Frame) -> tuple[Any, int]:
        """The same, with its weight."""
        filled = fill(value, self.pattern, lambda inner: self.evaluate(inner, frame))
        weight = weigh(filled)
        self._handle(weight)
        return filled, weight

    def _handle(self, weight: int) -> None:
        self._handled += weight
        if self._handled > MAX_HANDLED:
            raise Faulty("swml_invalid_document", f"its values come to more than {MAX_HANDLED} characters in all")

    def looked_at(self, variable: str, frame: Frame) -> Any:
        """What a switch looks at: a variable's name, or a text with variables."""
        return self.text(variable, frame) if "{" in variable else self.evaluate(variable, frame)

    # -- flow

    def steps(self, steps: Section, frame: Frame) -> Run:
        """Carry steps out, up to the one that leads elsewhere."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Faulty("swml_invalid_document", f"more than {MAX_DEPTH} sections and branches are inside one another")
        try:
            return (yield from self._each(steps, frame))
        finally:
            self._depth -= 1

    def _each(self, steps: Section, frame: Frame) -> Run:
        at = 0
        while at < len(steps):
            signal = yield from self._step(steps[at], frame)
            at += 1
            if isinstance(signal, Goto):
                places = [n for n, step in enumerate(steps) if isinstance(step, Label) and step.name == signal.label]
                if not places:
                    return signal  # the label may stand around these steps
                at = places[0]
            elif signal is not None:
                return signal
        return None

    def _section(self, name: str, frame: Frame) -> Run:
        steps = frame.program.sections.get(name)
        if steps is None:
            raise Faulty("swml_section_not_found", f"there is no section {name}")
        signal = yield from self.steps(steps, frame)
        if isinstance(signal, Goto):
            raise Faulty("swml_goto_label_not_found", f"there is no label {signal.label} in this section")
        return signal

    def _step(self, step: Step, frame: Frame) -> Run:
        self._steps_done += 1
        if self._steps_done > self.most_steps:
            raise Faulty("swml_invalid_document", f"it takes more than {self.most_steps} steps")
        match step:
            case Label():
                return None
            case Goto():
                return self._goto(step, frame)
            case Return():
                return Return(self.value(step.value, frame))
            case Assign():
                for name, value in step.values.items():
                    self._assign(name, value, frame)
                return None
            case Switch():
                return (yield from self._switch(step, frame))
            case Cond():
                return (yield from self._cond(step, frame))
            case Request():
                return (yield from self._request(step, frame))
            case Execute():
                return (yield from self._execute(step, frame))
            case Transfer():
                return (yield from self._transfer(step, frame))
            case _:
                return (yield from self.act(step, frame))

    def _assign(self, name: str, value: Any, frame: Frame) -> None:
        self.vars[name], weight = self._weighed(value, frame)
        weight += len(name)
        self._kept += weight - self._weights.get(name, 0)
        self._weights[name] = weight
        if self._kept > MAX_KEPT:
            raise too_heavy(MAX_KEPT)

    def _goto(self, step: Goto, frame: Frame) -> Signal:
        """Beyond its most jumps, whichever goto made them, the script goes on behind it."""
        if step.when is not None and not is_true(step.when(lambda path: self.at(path, frame))):
            return None
        label = self.text(step.label, frame)
        taken = frame.jumps.get(label, 0)
        if taken >= step.most:
            return None
        frame.jumps[label] = taken + 1
        return Goto(label, step.most)

    def _switch(self, step: Switch, frame: Frame) -> Run:
        value = self.looked_at(step.variable, frame)
        chosen = step.choose(value)
        if chosen is not None:
            return (yield from self.steps(chosen, frame))
        if not self.in_call:
            raise Faulty("swml_switch_no_match", f"no case for {as_text(value)}")
        return None

    def _cond(self, step: Cond, frame: Frame) -> Run:
        for branch in step.branches:
            if branch.when is None or is_true(branch.when(lambda path: self.at(path, frame))):
                return (yield from self.steps(branch.steps, frame))
        return None

    def _chosen(self, result: Switch | Cond | None, frame: Frame) -> Run:
        if isinstance(result, Switch):
            return (yield from self._switch(result, frame))
        if isinstance(result, Cond):
            return (yield from self._cond(result, frame))
        return None

    def _execute(self, step: Execute, frame: Frame) -> Run:
        dest = self.text(step.dest, frame)
        params = self.value(step.params, frame)
        program = self.inline(dest, "execute")
        if program is None and _is_url(dest):
            program = yield from self.document(dest, "POST", params, "execute")
        name = dest if program is None else "main"
        signal = yield from self._section(name, Frame(program or frame.program, params))
        if isinstance(signal, Return):
            self.vars["return_value"] = signal.value
        elif signal is not None:
            return signal
        signal = yield from self.steps(step.on_return, frame)
        return signal if signal is not None else (yield from self._chosen(step.result, frame))

    def _transfer(self, step: Transfer, frame: Frame) -> Run:
        dest = self.text(step.dest, frame)
        params = self.value(step.params, frame)
        program = self.inline(dest, "transfer")
        if program is None and not _is_url(dest):
            if not dest:
                raise Faulty("swml_transfer_failed", f"{step.dest} is empty")
            return Moved(frame.program, dest, params)
        if program is None:
            program = yield from self.document(dest, step.method, params)
        return Moved(program, "main", params)

    # -- what comes from outside

    def told(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The body of the request for a document."""
        return {**self._roots, "params": params, "vars": self.vars}

    def document(
        self, url: str, method: str, params: Mapping[str, Any], verb: str = "transfer"
    ) -> Generator[Verb, Outcome, Program]:
        """Fetch a document. Raises Faulty: of its verb's _fetch_failed and _document_invalid, and swml_transfer_failed
        for one too many.
        """
        self._documents += 1
        if self._documents > MAX_DOCUMENTS:
            raise Faulty("swml_transfer_failed", f"it leads through more than {MAX_DOCUMENTS} documents")
        if not _has_host(url):
            raise Faulty(f"swml_{verb}_fetch_failed", f"{url} is a malformed URL")
        body = None if method == "GET" else _encode(self.told(params))
        request = self.signed(method, url, {"Content-Type": _JSON} if body is not None else {}, body)
        outcome = yield Fetch(request, _DOCUMENT_S, self.account.id)
        if not isinstance(outcome, Answer) or not outcome.is_ok:
            reason = f"HTTP {outcome.status}" if isinstance(outcome, Answer) else getattr(outcome, "reason", "")
            raise Faulty(f"swml_{verb}_fetch_failed", reason)
        try:
            if outcome.is_truncated:
                raise Faulty("swml_invalid_document", "it is too long")
            return self.program(outcome.body)
        except Faulty as error:
            raise Faulty(f"swml_{verb}_document_invalid", error.plain) from None

    def signed(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Rendered:
        """A request with its signatures."""
        return signed(self.account, method, url, body, tuple(headers.items()), in_call=self.in_call)

    def _request(self, step: Request, frame: Frame) -> Run:
        url = self.text(step.url, frame)
        if not url:
            raise Faulty("swml_request_url_required", f"{step.url} is empty")
        self.vars = {name: value for name, value in self.vars.items() if name not in _OF_REQUESTS}
        self.vars["request_url"] = url
        self._requests += 1
        if self._requests > MAX_REQUESTS:
            self.vars["request_result"] = "limit_exceeded"
            return (yield from self._chosen(step.result, frame))
        outcome = yield Fetch(self._rendered(step, url, frame), step.timeout_s, self.account.id)
        if isinstance(outcome, Answer):
            self._keep(outcome, saves=step.saves)
        else:
            is_late = isinstance(outcome, FetchFailed) and outcome.is_late
            self.vars["request_result"] = "timeout" if is_late else "failed"
        return (yield from self._chosen(step.result, frame))

    def _rendered(self, step: Request, url: str, frame: Frame) -> Rendered:
        headers = {name: as_text(self.value(value, frame)) for name, value in step.headers.items()}
        body = None
        if step.body is not None:
            filled = self.value(step.body, frame)
            is_text = isinstance(filled, str)
            body = filled.encode("utf-8", "replace") if is_text else _encode(filled)
            if not any(name.lower() == _CONTENT_TYPE for name in headers):
                headers["Content-Type"] = "text/plain; charset=utf-8" if is_text else _JSON
        return self.signed(step.method, url, headers, body)

    def _keep(self, answer: Answer, *, saves: bool) -> None:
        """Set the variables that tell of a request's answer."""
        self.vars |= {
            "request_result": "success" if answer.is_ok else "failed",
            "request_response_code": answer.status,
            "request_response_headers": dict(answer.headers),
            "request_response_body": answer.body.decode("utf-8", "replace"),
        }
        if saves:
            try:
                value = msgspec.json.decode(answer.body)
                check_value(value)
                weigh(value)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Faulty):
                return
            self.vars["request_response"] = value


def _is_url(text: str) -> bool:
    """Whether a destination is a URL, if only a malformed one: what is none names a section."""
    return text.lower().startswith(("http://", "https://"))


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False
