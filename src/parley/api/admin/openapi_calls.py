"""Simulated calls in the description: their operations and objects. The shorthand is explained in openapi.py."""

from typing import Final

from parley.api.admin.openapi_operations import Operation

_WAIT: Final = ("wait", "number")
TAG: Final = {"calls": "Simulated calls, in which SWML sends texts"}

OPERATIONS: Final = (
    Operation(
        method="POST",
        path="/api/calling/calls",
        id="dial",
        tag="calls",
        summary="Call a phone; the call has begun, and is durable, once this is answered",
        answers={200: ("The call", "CallLeg")},
        body="Command",
        errors="messaging",
        refusals=(415, 422),
    ),
    Operation(
        method="POST",
        path="/simulator/phones/{phone}/calls",
        id="call_from_phone",
        tag="calls",
        summary="Have a phone call a number; answered once the call is over, or has gone on for so many seconds",
        answers={201: ("The call with its transcript", "SimulatedCall")},
        body="CallFromPhone",
        query=(_WAIT,),
        refusals=(404, 415),
    ),
    Operation(
        method="GET",
        path="/simulator/phones/{phone}/calls",
        id="list_calls",
        tag="calls",
        summary="List the account's calls from and to a phone",
        answers={200: ("The newest first", "SimulatedCalls")},
        refusals=(404,),
    ),
    Operation(
        method="GET",
        path="/simulator/calls/{call}",
        id="get_call",
        tag="calls",
        summary="Read what happened in a call up to now",
        answers={200: ("The call with its transcript", "SimulatedCall")},
        query=(_WAIT,),
        refusals=(404,),
    ),
)

FIELDS: Final[dict[str, dict[str, str]]] = {
    "Command": {"command": "str", "params": "DialParameters"},
    "DialParameters": {"from": "str", "to": "str", "swml?": "str", "url?": "url", "fallback_url?": "url"},
    "CallLeg": {
        "id": "uuid",
        "from": "str",
        "to": "str",
        "direction": "outbound-api|inbound",
        "status": "queued|completed|failed",
        "source": "str",
        "type": "str",
        "url": "url?",
        "duration": "count?",
        "duration_ms": "count?",
        "billing_ms": "count?",
        "parent_id": "uuid?",
        "charge": "number",
        "charge_details": "[any]",
        "created_at": "time",
    },
    "CallFromPhone": {"to": "str", "swml?": "any", "url?": "url?", "digits?": "str"},
    "SimulatedCalls": {"calls": "[SimulatedCall]"},
    "SimulatedCall": {
        "call_id": "uuid",
        "direction": "inbound|outbound-api",
        "from": "str",
        "to": "str",
        "status": "in-progress|completed|failed",
        "started_at": "time",
        "ended_at": "time?",
        "transcript": "[object]",
    },
}
