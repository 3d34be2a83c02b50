"""`messaging.send`: the REST API's message under other names, told of by Relay."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import json, to_builtins
from msgspec.structs import replace

from parley.api.http.fault import Fault
from parley.api.signalwire.draft import make_draft
from parley.api.signalwire.problems import Invalid, Problem, problems_of, unknown_parameter
from parley.core.limits import Busy
from parley.core.refusal import Refused
from parley.core.send import Draft
from parley.model.account import Account
from parley.model.relay import KEY, Told
from parley.webhooks.guard import Guard

RENAMED: Final = {"from_number": "from", "to_number": "to"}
TAKEN: Final = frozenset({"body", "media", "media_urls", "send_as_mms", "status_callback", "custom_variables"})
"""As in the REST API."""
OWN: Final = frozenset({"context", "tags", "region"})
_NAMES: Final = {rest: own for own, rest in RENAMED.items()}
_MOST_TAGS: Final = 10
_MAX_NAME: Final = 255


def read_draft(account: Account, params: Mapping[str, Any], session: tuple[str, set[str]], guard: Guard) -> Draft:
    """What `messaging.send` asks for. `session` is its protocol, and what it receives. Raises Invalid.

    States go to the context that is named, to this session first if it receives that; to this session alone when none
    is named. `region` asks for nothing: there is one way out.
    """
    problems: list[Problem] = [
        unknown_parameter(name) for name in params if name not in RENAMED and name not in TAKEN and name not in OWN
    ]
    given = {RENAMED.get(name, name): value for name, value in params.items() if name in RENAMED or name in TAKEN}
    context = params.get("context")
    if context is not None and not (isinstance(context, str) and 0 < len(context) <= _MAX_NAME):
        problems.append(Problem("not_a_string", f"context must be a string of 1 to {_MAX_NAME} characters", "context"))
    tags = params.get("tags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, str) and len(tag) <= _MAX_NAME for tag in tags):
        problems.append(Problem("not_an_array_of_strings", "tags must be a list of strings", "tags"))
    elif len(tags) > _MOST_TAGS:
        problems.append(Problem("invalid_parameter", f"a message has at most {_MOST_TAGS} tags", "tags"))
    if params.get("region") is not None and not isinstance(params["region"], str):
        problems.append(Problem("not_a_string", "region must be a string", "region"))
    # Clients leave out by an empty value what they were not given.
    given = {name: value for name, value in given.items() if value not in (None, [], "") or name in ("from", "to")}
    try:
        draft = make_draft(account, given, guard, None)
    except Invalid as invalid:
        raise Invalid([*(_renamed(problem) for problem in invalid.problems), *problems]) from None
    if problems:
        raise Invalid(problems)
    protocol, contexts = session
    told = Told(context or protocol, protocol if context in contexts else None)
    extras: dict[str, Any] = json.decode(draft.extras) if draft.extras else {}
    extras[KEY] = to_builtins(told)
    if tags:
        extras["tags"] = tags
    return replace(draft, extras=json.encode(extras).decode())


def refusal(error: Fault | Refused | Busy) -> dict[str, Any]:
    """The result that tells of a message which was not taken: a code that is no 2xx, and what is wrong."""
    if isinstance(error, Busy):
        return {"code": "429", "message": error.reason}
    problems = problems_of(error)
    if not problems:
        return {"code": "422", "message": str(error) or "The message was refused"}
    renamed = [_renamed(problem) for problem in problems]
    return {
        "code": "422",
        "message": renamed[0].message,
        "errors": [{"code": p.code, "message": p.message, "attribute": p.attribute} for p in renamed],
    }


def _renamed(problem: Problem) -> Problem:
    """A problem under the names of Relay's parameters."""
    attribute = problem.attribute
    if attribute not in _NAMES:
        return problem
    name = _NAMES[attribute]
    message = name + problem.message.removeprefix(attribute) if problem.message.startswith(f"{attribute} ") else None
    return replace(problem, attribute=name, message=message or problem.message)
