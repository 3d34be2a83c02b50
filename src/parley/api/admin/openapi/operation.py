"""One operation in the description, as its table says it. The shorthand is explained in document.py."""

import re
from typing import Final, Literal

import msgspec

Answers = dict[int, tuple[str, str | None]]
"""By status: a description, and the body in shorthand, a media type before it unless it is JSON."""
Query = tuple[tuple[str, str], ...]
"""Names and kinds of parameters."""
Fields = dict[str, dict[str, str]]
"""Objects by name: their fields in shorthand; one whose name ends in `?` may be missing."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one path."""

    method: str
    path: str
    id: str
    tag: str
    summary: str
    answers: Answers
    query: Query = ()
    body: str | None = None
    errors: Literal["messaging", "relay", "parley"] = "parley"
    refusals: tuple[int, ...] = ()
    is_open: bool = False
    """Asks for no credentials: `refusals` are all that it has."""

    @property
    def path_parameters(self) -> list[tuple[str, str]]:
        """Names and kinds of the path's parameters."""
        return [(name, "count" if name == "position" else "str") for name in re.findall(r"{(\w+)}", self.path)]


def operation(
    at: str,
    id: str,
    tag: str,
    summary: str,
    answers: Answers,
    *,
    query: Query = (),
    body: str | None = None,
    refusals: tuple[int, ...] = (),
    is_open: bool = False,
) -> Operation:
    """The operation at `METHOD /path`, with the errors of the API that the path is in."""
    method, path = at.split()
    errors: Literal["messaging", "relay", "parley"] = (
        "relay" if path.startswith("/api/relay/") else "messaging" if path.startswith("/api/") else "parley"
    )
    return Operation(
        method=method,
        path=path,
        id=id,
        tag=tag,
        summary=summary,
        answers=answers,
        query=query,
        body=body,
        errors=errors,
        refusals=(*refusals, 415) if body is not None else refusals,
        is_open=is_open,
    )


LIMIT: Final = ("limit", "count")
WAIT: Final = ("wait", "number")
HANDLERS: Final = "laml_webhooks|laml_application|json_webhook|relay_context|relay_topic|relay_application"
"""What SignalWire has numbers do with their messages, and `json_webhook`, which is ours."""
STATUSES: Final = "accepted|scheduled|queued|sending|sent|delivered|undelivered|failed|canceled|receiving|received|read"
