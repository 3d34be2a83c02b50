"""Numbers that a LaML application stands for, which calls the application's webhooks in place of their own."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from parley.api.signalwire.number_update import read_update
from parley.api.signalwire.problems import Invalid, Problem
from parley.core.resources import Resources
from parley.lib.ids import parse_sid, parse_uuid
from parley.model.application import Application
from parley.model.laml import marked
from parley.model.number import Number, application_of
from parley.webhooks.guard import Guard

HANDLER: Final = "laml_application"
PARAMETER: Final = "message_laml_application_id"
_OWN: Final = ("message_request_url", "message_fallback_url", "sms_url")
_NOTHING: Final = (None, "")
"""What asks for nothing. Anything else has to be what the parameter is, be it an empty list."""


async def read_change(
    number: Number,
    given: Mapping[str, Any],
    guard: Guard,
    applications: Resources[Application],
    found: Sequence[Problem] = (),
) -> Number:
    """The number as `given` changes it. Raises Invalid with all that is wrong, what was `found` before among it.

    Source: update-phone-number page.
    """
    problems = [*found]
    leads = given.get("message_handler", _implied(number, given)) == HANDLER
    application_id = await _application(number, given, applications, problems)
    if application_id is not None and not leads:
        rule = f"{PARAMETER} needs message_handler {HANDLER}"
        problems.append(Problem("incompatible_parameters", rule, PARAMETER))
    elif leads and given.get(PARAMETER) in _NOTHING:
        rule = f"{PARAMETER} is required with message_handler {HANDLER}"
        problems.append(Problem("missing_required_parameter", rule, PARAMETER))
    for name in _OWN if leads else ():
        if given.get(name) not in _NOTHING:
            rule = f"{name} cannot be given with message_handler {HANDLER}"
            problems.append(Problem("incompatible_parameters", rule, name))
    rest = {name: value for name, value in given.items() if name != PARAMETER}
    if leads:
        rest["message_handler"] = None
        rest = {name: value for name, value in rest.items() if name not in _OWN}
    try:
        changed = read_update(number, rest, guard)
    except Invalid as invalid:
        problems += invalid.problems
    if problems:
        raise Invalid(problems)
    if not leads:
        return changed
    return replace(
        changed,
        dialect="twilio",
        handler="laml_webhooks",
        application_id=application_id,
        extras=marked(changed.extras),
    )


def _implied(number: Number, given: Mapping[str, Any]) -> str | None:
    """Who names an application alone means the handler that the number has, and no webhook of its own."""
    is_alone = PARAMETER in given and all(given.get(name) in _NOTHING for name in _OWN)
    return HANDLER if is_alone and application_of(number) is not None else None


async def _application(
    number: Number, given: Mapping[str, Any], applications: Resources[Application], problems: list[Problem]
) -> bytes | None:
    """The id of the application that is named. Its SID is good, too."""
    text = given.get(PARAMETER)
    if text in _NOTHING:
        return None
    id = (parse_uuid(text) or parse_sid(text, ("AP",))) if isinstance(text, str) else None
    if id is None or await applications.find(number.account_id, id) is None:
        problems.append(Problem("invalid_parameter", f"{PARAMETER} is not an application of this project", PARAMETER))
        return None
    return id
