"""Simulated calls in the description: their operations and objects. The shorthand is explained in document.py."""

from typing import Final

from parley.api.admin.openapi.operation import WAIT, Fields, Operation, operation

TAGS: Final = {"calls": "Simulated calls, in which SWML sends texts"}

OPERATIONS: Final[tuple[Operation, ...]] = (
    operation(
        "POST /api/calling/calls",
        "dial",
        "calls",
        "Call a phone; the call has begun, and is durable, once this is answered",
        {200: ("The call", "CallLeg")},
        body="Command",
        refusals=(422,),
    ),
    operation(
        "POST /simulator/phones/{phone}/calls",
        "call_from_phone",
        "calls",
        "Have a phone call a number; answered once the call is over, or has gone on for so many seconds",
        {201: ("The call with its transcript", "SimulatedCall")},
        query=(WAIT,),
        body="CallFromPhone",
        refusals=(404,),
    ),
    operation(
        "GET /simulator/phones/{phone}/calls",
        "list_calls",
        "calls",
        "List the account's calls from and to a phone",
        {200: ("The newest first", "SimulatedCalls")},
        refusals=(404,),
    ),
    operation(
        "GET /simulator/calls/{call}",
        "get_call",
        "calls",
        "Read what happened in a call up to now",
        {200: ("The call with its transcript", "SimulatedCall")},
        query=(WAIT,),
        refusals=(404,),
    ),
)

FIELDS: Final[Fields] = {
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
