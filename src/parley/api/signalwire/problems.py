"""Say in SignalWire's shapes why a request was refused, and find the words for each reason."""

from collections.abc import Sequence
from typing import Final

import msgspec
from starlette.types import Scope

from parley.api.http.endpoint import Reply, json_reply
from parley.api.http.fault import STATUS, Fault, Kind
from parley.core.refusal import Reason, Refused

_HELP: Final = "https://developer.signalwire.com/rest/overview/error-codes/#"
_PHRASES: Final[dict[int, str]] = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Payload Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Entity",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
_CHALLENGE: Final = ((b"www-authenticate", b'Basic realm="Parley", charset="UTF-8"'),)
_MAX_ATTRIBUTE: Final = 100


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong with a request. `attribute` is the parameter; `base` means the whole."""

    code: str
    message: str
    attribute: str | None = None
    type: str = "validation_error"


class Invalid(Fault):
    """A request whose form is right and whose parameters are not: all that is wrong with them, at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("invalid_parameter", problems[0].message, problems[0].attribute)
        self.problems = tuple(problems)


def unknown_parameter(name: str, detail: str = "is not a parameter of this operation") -> Problem:
    """A parameter that cannot be acted on, which is refused so that nobody believes it was."""
    shown = name[:_MAX_ATTRIBUTE]
    return Problem("invalid_parameter", f"{shown} {detail}", shown)


_REFUSALS: Final[dict[Reason, Problem]] = {
    "account_suspended": Problem(
        "sending_disabled_for_space", "This project may not send messages", "base", "account_error"
    ),
    "application_unknown": Problem("invalid_parameter", "The application does not exist", "base"),
    "body_missing": Problem("body_or_media_required", "Either body or media must be given", "body"),
    "body_too_long": Problem("character_limit_exceeded", "The body is longer than 1600 characters", "body"),
    "channels_differ": Problem("not_routeable", "The number to send to is on another channel", "to"),
    "country_not_enabled": Problem(
        "destination_number_not_supported", "Messages to this destination are not supported", "to"
    ),
    "key_reused": Problem("invalid_parameter", "This idempotency key was used for another request", "Idempotency-Key"),
    "media_limit_exceeded": Problem("media_limit_exceeded", "A message holds at most 8 media", "media"),
    "media_url_invalid": Problem("invalid_media_url", "A media URL cannot be used", "media"),
    "name_taken": Problem("invalid_parameter", "The name is in use already", "name"),
    "not_cancelable": Problem("invalid_parameter", "The message can no longer be canceled", "base"),
    "funds_spent": Problem(
        "insufficient_balance_to_send_message", "This project's balance is spent", "base", "account_error"
    ),
    "in_progress": Problem(
        "cannot_redact_in_progress_message", "A message cannot be redacted before it has been sent", "base"
    ),
    "no_fitting_sender": Problem("not_routeable", "There is no number to send this message from", "base"),
    "number_invalid": Problem("invalid_number_format", "The number is not a valid phone number", "number"),
    "number_taken": Problem("already_assigned", "The number belongs to another project", "number"),
    "number_unavailable": Problem("number_not_available", "The number is not available", "number"),
    "opted_out": Problem("number_blacklisted", "The recipient has opted out of messages from this number", "to"),
    "pool_empty": Problem("invalid_from_number", "There is no number to send from", "base"),
    "pool_full": Problem("invalid_parameter", "The group has as many numbers as it may have", "base"),
    "queue_full": Problem(
        "message_backlog_limit_exceeded", "Too many messages wait to be sent from this number", "from"
    ),
    "quiet_hours": Problem("not_routeable", "The recipient is within quiet hours", "to"),
    "recipient_invalid": Problem("invalid_to_number", "The number to send to is not a valid phone number", "to"),
    "recipient_is_landline": Problem("not_routeable", "The number to send to is a landline", "to"),
    "recipient_is_premium": Problem(
        "destination_number_not_supported", "The number to send to is a premium-rate number", "to"
    ),
    "recipient_is_sender": Problem("invalid_to_number", "A message cannot be sent to the number it comes from", "to"),
    "recipient_is_short_code": Problem("invalid_to_number", "The number to send to is a short code", "to"),
    "recipient_missing": Problem("missing_required_parameter", "to is required", "to"),
    "recipient_not_mobile": Problem("not_routeable", "The number to send to cannot receive messages", "to"),
    "recipient_unroutable": Problem("not_routeable", "There is no route to the number to send to", "to"),
    "schedule_full": Problem("message_backlog_limit_exceeded", "Too many messages are scheduled", "base"),
    "send_at_out_of_window": Problem("invalid_parameter", "The message cannot be scheduled for that time", "base"),
    "sender_cannot_mms": Problem("missing_messaging_capability", "The number to send from cannot send MMS", "from"),
    "sender_cannot_sms": Problem(
        "missing_messaging_capability", "The number to send from cannot send messages", "from"
    ),
    "sender_invalid": Problem("invalid_from_number", "The number to send from is not valid", "from"),
    "sender_is_caller_id": Problem(
        "verified_caller_id_not_permitted",
        "A verified caller id cannot send messages: from must be one of the project's numbers",
        "from",
    ),
    "sender_missing": Problem("missing_required_parameter", "from is required", "from"),
    "sender_not_in_pool": Problem("invalid_from_number", "The number to send from is not in the pool", "from"),
    "sender_not_owned": Problem("invalid_from_number", "The number to send from is not one of the project's", "from"),
    "sender_not_ready": Problem("invalid_from_number", "The address to send from is not approved", "from"),
    "sender_of_another_account": Problem(
        "invalid_from_number", "The number to send from is not one of the project's", "from"
    ),
    "service_unknown": Problem("invalid_parameter", "The messaging service does not exist", "base"),
    "status_callback_invalid": Problem(
        "not_an_http_url", "status_callback must be an absolute HTTP or HTTPS URL", "status_callback"
    ),
    "validity_invalid": Problem("invalid_parameter", "The validity period is out of range", "base"),
}


def explain(error: Fault | Refused, scope: Scope) -> Reply:
    """The answer of `/api/messaging/*`: `{"error"}`; at 422 and 429 `{"errors":[{type,code,message,attribute,url}]}`"""
    found = problems_of(error)
    if found is None:
        return _plain(error)
    items = [
        {
            "type": problem.type,
            "code": problem.code,
            "message": problem.message,
            "attribute": problem.attribute,
            "url": _HELP + problem.code,
        }
        for problem in found
    ]
    return json_reply(_status(error), {"errors": items})


def explain_relay(error: Fault | Refused, scope: Scope) -> Reply:
    """The answer of `/api/relay/rest/*`: `{"error"}`, or `{"errors":[{detail,status,title,code}]}` at 422 and 429."""
    found = problems_of(error)
    if found is None:
        return _plain(error)
    status = _status(error)
    items = [
        {"detail": problem.message, "status": str(status), "title": _PHRASES[status], "code": problem.code}
        for problem in found
    ]
    return json_reply(status, {"errors": items})


def _status(error: Fault | Refused) -> int:
    return 429 if isinstance(error, Fault) and error.kind == "too_many_requests" else 422


def problems_of(error: Fault | Refused) -> Sequence[Problem] | None:
    """What is wrong with the parameters; None when the request is refused as a whole."""
    if isinstance(error, Invalid):
        return error.problems
    if isinstance(error, Refused):
        return None if error.reason == "not_found" else (_REFUSALS[error.reason],)
    if error.kind == "too_many_requests":
        return (Problem("rate_limit_exceeded", error.detail, "base", "rate_limit_error"),)
    if error.kind == "invalid_parameter":
        return (Problem("invalid_parameter", error.detail, error.parameter),)
    return None


def _plain(error: Fault | Refused) -> Reply:
    kind: Kind = "not_found" if isinstance(error, Refused) else error.kind
    status = STATUS[kind]
    return json_reply(status, {"error": _PHRASES[status]}, _CHALLENGE if status == 401 else ())
