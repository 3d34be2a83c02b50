"""The operations of Parley's own surface, one entry each. The shorthand is explained in openapi.py."""

import re
from typing import Final, Literal

import msgspec

TAGS: Final = {
    "messages": "SignalWire's messaging API: send, redact, read",
    "logs": "SignalWire's message logs: both APIs' messages without their text",
    "phone numbers": "SignalWire's phone numbers and their message handlers",
    "simulator": "Phones that exist only here: what they received, what they send, how they behave",
    "record": "Everything that Parley knows of a message, in its own words",
    "callbacks": "What apps are told: how it went, and telling them again",
    "account": "The account that the credentials belong to",
    "operations": "How the process is",
}

Answers = dict[int, tuple[str, str | None]]
"""By status: a description, and the body in shorthand, a media type before it unless it is JSON."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one path."""

    method: str
    path: str
    id: str
    tag: str
    summary: str
    answers: Answers
    query: tuple[tuple[str, str], ...] = ()
    body: str | None = None
    errors: Literal["messaging", "relay", "parley"] = "parley"
    refusals: tuple[int, ...] = ()
    is_open: bool = False
    """Asks for no credentials."""

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
    query: tuple[tuple[str, str], ...] = (),
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


_PAGE: Final = (("page_size", "count"), ("page_number", "count"), ("page_token", "str"))
_LIST: Final = (
    ("include_deleted", "bool"),
    ("created_before", "str"),
    ("created_on", "str"),
    ("created_after", "str"),
    *_PAGE,
)
_MESSAGES: Final = "/api/messaging/messages"
_LOGS: Final = "/api/messaging/logs"
_NUMBERS: Final = "/api/relay/rest/phone_numbers"
_PHONE: Final = "/simulator/phones/{phone}"
_LIMIT: Final = ("limit", "count")
_WAIT: Final = ("wait", "number")

OPERATIONS: Final = (
    operation(
        f"POST {_MESSAGES}",
        "create_message",
        "messages",
        "Send a message",
        {201: ("The message, which is durable", "Message")},
        body="CreateMessage",
        refusals=(422,),
    ),
    operation(
        f"GET {_MESSAGES}",
        "list_messages",
        "messages",
        "List messages of both directions",
        {200: ("A page, newest first", "Messages")},
        query=_LIST,
        refusals=(422,),
    ),
    operation(
        f"GET {_MESSAGES}/{{id}}",
        "get_message",
        "messages",
        "Read a message",
        {200: ("The message", "Message")},
        refusals=(404, 422),
    ),
    operation(
        f"PATCH {_MESSAGES}/{{id}}",
        "update_message",
        "messages",
        "Redact a message",
        {200: ("The message without its text", "Message")},
        body="UpdateMessage",
        refusals=(404, 422),
    ),
    operation(
        "GET /api/messaging/media/{token}",
        "get_media",
        "messages",
        "Fetch an attachment by its link",
        {200: ("The octets", "*/* str"), 404: ("The link is not one of ours, or has expired", "SignalWireError")},
        is_open=True,
    ),
    operation(
        f"GET {_LOGS}",
        "list_message_logs",
        "logs",
        "List message logs",
        {200: ("A page, newest first", "Logs")},
        query=_LIST,
        refusals=(422,),
    ),
    operation(
        f"GET {_LOGS}/{{id}}",
        "get_message_log",
        "logs",
        "Read a message log",
        {200: ("The log", "Log")},
        refusals=(404, 422),
    ),
    operation(
        f"GET {_NUMBERS}",
        "list_phone_numbers",
        "phone numbers",
        "List phone numbers",
        {200: ("A page, newest first", "PhoneNumbers")},
        query=(("filter_name", "str"), ("filter_number", "str"), *_PAGE),
        refusals=(422,),
    ),
    operation(
        f"GET {_NUMBERS}/{{id}}",
        "get_phone_number",
        "phone numbers",
        "Read a phone number",
        {200: ("The number", "PhoneNumber")},
        refusals=(404, 422),
    ),
    operation(
        f"PUT {_NUMBERS}/{{id}}",
        "update_phone_number",
        "phone numbers",
        "Say what happens to a number's messages",
        {200: ("The number", "PhoneNumber")},
        body="UpdatePhoneNumber",
        refusals=(404, 422),
    ),
    operation(
        "GET /simulator/phones",
        "list_phones",
        "simulator",
        "List the phones that the account talked with",
        {200: ("The last active first", "Phones")},
    ),
    operation(
        f"GET {_PHONE}",
        "get_phone",
        "simulator",
        "Read how a phone behaves",
        {200: ("The phone", "Phone")},
    ),
    operation(
        f"PUT {_PHONE}",
        "tell_phone",
        "simulator",
        "Say how a phone behaves from now on",
        {200: ("The phone", "Phone")},
        body="BehaviourChange",
    ),
    operation(
        f"GET {_PHONE}/messages",
        "list_phone_messages",
        "simulator",
        "Read what arrived at a phone, waiting for it if need be",
        {200: ("Newest first", "PhoneMessages")},
        query=(_WAIT, ("contains", "str"), ("since", "str"), _LIMIT),
    ),
    operation(
        f"POST {_PHONE}/messages",
        "send_from_phone",
        "simulator",
        "Send a message from a phone",
        {201: ("The message is durable", "Sent")},
        body="SendFromPhone",
        refusals=(404,),
    ),
    operation(
        f"GET {_PHONE}/messages/{{message}}/media/{{position}}",
        "get_phone_media",
        "simulator",
        "Fetch an attachment as the phone got it",
        {200: ("The octets", "*/* str")},
        refusals=(404,),
    ),
    operation(
        f"POST {_PHONE}/receipts",
        "force_receipt",
        "simulator",
        "Bring a receipt for a message to a phone",
        {200: ("The state of the message then", "Receipt")},
        body="ForceReceipt",
        refusals=(404,),
    ),
    operation(
        "GET /simulator/faults",
        "get_faults",
        "simulator",
        "Read what goes wrong with the carrier",
        {200: ("The faults", "Faults")},
    ),
    operation(
        "PUT /simulator/faults",
        "set_faults",
        "simulator",
        "Say what goes wrong with the carrier from now on",
        {200: ("The faults", "Faults")},
        body="FaultsChange",
    ),
    operation(
        "GET /simulator/reviewers",
        "get_reviewers",
        "simulator",
        "Read how brands, campaigns and verifications are decided",
        {200: ("The reviewers", "Reviewers")},
    ),
    operation(
        "PUT /simulator/reviewers",
        "tell_reviewers",
        "simulator",
        "Say how brands, campaigns and verifications are decided from now on",
        {200: ("The reviewers", "Reviewers")},
        body="ReviewersChange",
    ),
    operation(
        "DELETE /simulator",
        "forget_simulator",
        "simulator",
        "Forget all phones and faults",
        {204: ("Forgotten", None)},
    ),
    operation(
        "GET /admin/messages/{message}",
        "get_record",
        "record",
        "Read everything that is known of a message",
        {200: ("The record", "Record")},
        refusals=(404,),
    ),
    operation(
        "POST /admin/messages/{message}/callbacks/replay",
        "replay_message_callbacks",
        "callbacks",
        "Owe again what was given up of a message",
        {200: ("What is owed again, oldest first", "ReplayedCallbacks")},
        refusals=(404,),
    ),
    operation(
        "GET /admin/callbacks",
        "list_callbacks",
        "callbacks",
        "List callbacks by how they went",
        {200: ("A page, newest first", "OwedCallbacks")},
        query=(("state", "pending|delivered|gave_up"), ("message", "str"), _LIMIT, ("page_token", "str")),
        refusals=(404,),
    ),
    operation(
        "POST /admin/callbacks/{callback}/replay",
        "replay_callback",
        "callbacks",
        "Owe a callback again, whatever became of it",
        {200: ("The callback; one that is being delivered at this moment stays as it is", "OwedCallback")},
        refusals=(404,),
    ),
    operation(
        "GET /admin/hosts",
        "list_hosts",
        "callbacks",
        "List the hosts of the account's callbacks that are in trouble",
        {200: ("As the node that answers sees them", "Hosts")},
    ),
    operation(
        "GET /admin/events",
        "list_events",
        "record",
        "Follow what happens",
        {200: ("Events after a position, oldest first", "Events")},
        query=(("after", "int"), _WAIT, _LIMIT),
    ),
    operation(
        "GET /admin/orphans",
        "list_orphans",
        "record",
        "List receipts that matched no message",
        {200: ("The last come first", "Orphans")},
        query=(_LIMIT,),
    ),
    operation("GET /admin/account", "get_account", "account", "Read the account", {200: ("The account", "Account")}),
    operation(
        "PUT /admin/account",
        "change_account",
        "account",
        "Rename the account, say who honours STOP, or set its quiet hours",
        {200: ("The account", "Account")},
        body="ChangeAccount",
    ),
    operation(
        "GET /admin/services/{service}/quiet_hours",
        "get_quiet_hours",
        "account",
        "Read a messaging service's own quiet hours",
        {200: ("Null where it has none", "ServiceQuietHours")},
        refusals=(404,),
    ),
    operation(
        "PUT /admin/services/{service}/quiet_hours",
        "set_quiet_hours",
        "account",
        "Set a messaging service's quiet hours",
        {200: ("As they are now", "ServiceQuietHours")},
        body="SetQuietHours",
        refusals=(404,),
    ),
    operation(
        "DELETE /admin/services/{service}/quiet_hours",
        "drop_quiet_hours",
        "account",
        "Let a messaging service keep its account's quiet hours",
        {204: ("It has none of its own", None)},
        refusals=(404,),
    ),
    operation(
        "POST /admin/account/token",
        "rotate_token",
        "account",
        "Give the account a new auth token; the former one authenticates for a day more",
        {200: ("The new token, which is told this once", "RotatedToken")},
    ),
    operation(
        "GET /admin/allowance",
        "get_allowance",
        "account",
        "Read which countries the account may write to, its credit and its balance",
        {200: ("The allowance", "Allowance")},
    ),
    operation(
        "PUT /admin/allowance",
        "change_allowance",
        "account",
        "Say which countries the account may write to, and for how much",
        {200: ("The allowance", "Allowance")},
        body="ChangeAllowance",
    ),
    operation(
        "POST /admin/allowance/top_up",
        "top_up",
        "account",
        "Add to the account's credit",
        {200: ("The allowance", "Allowance")},
        body="TopUp",
    ),
    operation("GET /admin/keys", "list_keys", "account", "List API keys", {200: ("Without their secrets", "Keys")}),
    operation(
        "POST /admin/keys",
        "add_key",
        "account",
        "Make an API key",
        {201: ("With its secret, which is told this once", "MadeKey")},
        body="NewKey",
    ),
    operation(
        "DELETE /admin/keys/{key}",
        "drop_key",
        "account",
        "Drop an API key",
        {204: ("Dropped", None)},
        refusals=(404,),
    ),
    operation(
        "GET /healthz",
        "get_health",
        "operations",
        "Whether the process lives",
        {200: ("It does", "Health"), 503: ("It is stopping", "Health")},
        is_open=True,
    ),
    operation(
        "GET /readyz",
        "get_readiness",
        "operations",
        "Whether the process can serve",
        {200: ("It can", "Readiness"), 503: ("It cannot; troubles says why", "Readiness")},
        is_open=True,
    ),
    operation(
        "GET /metrics",
        "get_metrics",
        "operations",
        "Counts for Prometheus",
        {200: ("Prometheus' text format", "text/plain str")},
        is_open=True,
    ),
    operation(
        "GET /openapi.json",
        "get_description",
        "operations",
        "This description",
        {200: ("OpenAPI 3.1", "object")},
        is_open=True,
    ),
)
