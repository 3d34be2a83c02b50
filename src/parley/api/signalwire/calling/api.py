"""`POST /api/calling/calls`: place a call, which is simulated, and has begun when the answer comes."""

import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.routing import Route

from parley.api.http.credentials import Credentials
from parley.api.http.endpoint import Call as Asked
from parley.api.http.endpoint import Endpoint, Reply, json_reply
from parley.api.signalwire import shapes
from parley.api.signalwire.calling.calls import Calls
from parley.api.signalwire.draft import idempotency
from parley.api.signalwire.problems import Invalid, Problem, explain, unknown_parameter
from parley.api.signalwire.swml.fault import Faulty
from parley.api.signalwire.urls import check_url
from parley.core.refusal import Refused
from parley.lib.ids import to_uuid
from parley.model.call import Dial, Placed
from parley.webhooks.guard import Guard

PATH: Final = "/api/calling/calls"
PARAMETERS: Final = frozenset({"from", "to", "swml", "url", "fallback_url"})
LATER: Final = frozenset({"caller_id", "custom_variables", "status_url", "status_events", "codecs", "max_duration"})
"""Parameters that real calls have, and simulated ones have not."""

_SIP: Final = re.compile(r"sips?:", re.IGNORECASE)


class CallsApi:
    """Handlers of the calling API."""

    def __init__(self, calls: Calls, guard: Guard) -> None:
        self._calls = calls
        self._guard = guard

    async def command(self, asked: Asked) -> Reply:
        """POST `{"command":"dial","params":{from,to,swml|url}}`: 200 with the call. Source: calling API, calls.

        An `Idempotency-Key` makes it safe to ask again: it is answered by the same call.
        """
        dial = read_dial(asked.json(), self._guard)
        try:
            placed = await self._calls.dial(asked.account, dial, idempotency(asked))
        except Faulty as error:
            raise Invalid([Problem(error.word, error.plain, "swml")]) from None
        except Refused as refused:
            if refused.reason == "sender_invalid":
                raise Invalid([Problem("invalid_from_number", "from is not a phone number", "from")]) from None
            raise
        return json_reply(200, shown(placed))


def routes(calls: Calls, credentials: Credentials, guard: Guard) -> list[Route]:
    """The calling API's one path."""
    api = CallsApi(calls, guard)
    place = Endpoint(api.command, credentials.needing("calling"), explain)
    return [Route(PATH, place, methods=["POST"])]


def read_dial(given: Mapping[str, Any], guard: Guard) -> Dial:
    """What a command asks for. Raises Invalid with all that is wrong."""
    command, params = given.get("command"), given.get("params")
    problems = [unknown_parameter(name) for name in given if name not in ("command", "params")]
    if command is None:
        problems.append(Problem("missing_required_parameter", "command is required", "command"))
    elif command != "dial":
        rule = f"the command {str(command)[:40]} is not offered here: calls are simulated, and run by themselves"
        problems.append(Problem("feature_not_available", rule, "command"))
    if not isinstance(params, dict):
        problems.append(Problem("must_be_object", "params must be an object", "params"))
    if problems or not isinstance(params, dict):
        raise Invalid(problems)
    return _dial(params, guard)


def _dial(params: Mapping[str, Any], guard: Guard) -> Dial:
    problems: list[Problem] = []
    for name, value in params.items():
        if name in LATER:
            problems.append(Problem("feature_not_available", f"{name} is not offered in simulated calls", name))
        elif name not in PARAMETERS:
            problems.append(unknown_parameter(name))
        elif value is None:
            continue  # as if it were not given
        elif name in ("url", "fallback_url"):
            check_url(value, name, guard, problems)
        elif name == "swml" and isinstance(value, dict):
            continue
        elif not isinstance(value, str):
            problems.append(Problem("not_a_string", f"{name} must be a string", name))
        elif name != "swml" and _SIP.match(value):
            problems.append(Problem("feature_not_available", f"{name} is not offered as a SIP address", name))
    problems += [
        Problem("missing_required_parameter", f"{name} is required", name)
        for name in ("from", "to")
        if not params.get(name)
    ]
    if (params.get("swml") is None) == (params.get("url") is None):
        rule = "one of swml and url is required" if params.get("url") is None else "swml and url exclude each other"
        code = "missing_required_parameter" if params.get("url") is None else "incompatible_parameters"
        problems.append(Problem(code, rule, "url"))
    if problems:
        raise Invalid(problems)
    return Dial(
        direction="outbound-api",
        sender=params["from"],
        recipient=params["to"],
        swml=params.get("swml"),
        url=params.get("url"),
        fallback_url=params.get("fallback_url"),
    )


def shown(placed: Placed) -> dict[str, Any]:
    """A call as the API shows it: `queued` and without durations until it is over. Source: calling API, call leg."""
    call = placed.call
    duration_ms = None if call.ended_at is None else max(0, call.ended_at - call.started_at) // 1000
    return {
        "id": to_uuid(placed.id),
        "from": call.sender,
        "to": call.recipient,
        "direction": call.direction,
        "status": "queued" if call.status == "in-progress" else call.status,
        "source": "realtime_api",
        "type": "relay_pstn_call",
        "url": None,
        "duration": None if duration_ms is None else duration_ms // 1000,
        "duration_ms": duration_ms,
        "billing_ms": None if duration_ms is None else 0,
        "parent_id": None,
        "charge": 0,
        "charge_details": [],
        "created_at": shapes.at(call.started_at),
    }
