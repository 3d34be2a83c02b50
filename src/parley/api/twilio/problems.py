"""Twilio's words for what is refused: tables from the core's reasons and HTTP's faults to status, code and message.

Codes are those of twilio.com/docs/api/errors. Where Twilio has none for a fault, it is 20001 (HTTP 400), the code of
parameters that are not understood; docs/compat/twilio.csv says where.
"""

from typing import Final

import msgspec
from starlette.types import Scope

from parley.api.http.endpoint import Reply, json_reply
from parley.api.http.fault import Fault, Kind
from parley.core import magic_numbers
from parley.core.refusal import Reason, Refused

_MOST_QUOTED: Final = 100


class Problem(msgspec.Struct, frozen=True):
    """One kind of refusal. `{value}` in the message stands for the offending input."""

    status: int
    code: int
    message: str


REFUSALS: Final[dict[Reason, Problem]] = {
    "account_suspended": Problem(403, 20005, "The account is not active"),
    "application_unknown": Problem(400, 21218, "ApplicationSid {value} does not name an application of this account"),
    "body_missing": Problem(400, 21602, "A message needs a Body or a MediaUrl"),
    "body_too_long": Problem(400, 21617, "The concatenated message body exceeds the 1600 character limit"),
    "channels_differ": Problem(400, 21910, "The 'To' number {value} is not on the channel of this 'From' number"),
    "country_not_enabled": Problem(400, 21408, "Sending to the region of the 'To' number {value} is not enabled"),
    "funds_spent": Problem(403, 20005, "The account is not active: its balance is spent"),
    "in_progress": Problem(409, 20009, "The message is not complete yet; try again once its status is final"),
    "key_reused": Problem(400, 20001, "The idempotency key was used before for a request with other parameters"),
    "media_limit_exceeded": Problem(400, 21623, "A message may have no more than 10 media"),
    "media_url_invalid": Problem(400, 21620, "A MediaUrl {value}"),
    "name_taken": Problem(409, 20001, "{value} is in use already"),
    "not_cancelable": Problem(409, 30409, "The message can no longer be canceled"),
    "not_found": Problem(404, 20404, "The requested resource was not found"),
    "no_fitting_sender": Problem(
        400, 21703, "The Messaging Service {value} has no sender for this message in its pool"
    ),
    "number_invalid": Problem(400, 21421, "PhoneNumber {value} is invalid"),
    "number_taken": Problem(400, 21422, "PhoneNumber {value} is not available"),
    "number_unavailable": Problem(400, 21422, "PhoneNumber {value} is not available"),
    "opted_out": Problem(400, 21610, "The recipient {value} has unsubscribed from this sender"),
    "pool_empty": Problem(400, 21704, "The Messaging Service {value} has no senders"),
    "pool_full": Problem(400, 21714, "The Messaging Service has as many senders as it may have"),
    "queue_full": Problem(400, 21611, "The queue of this 'From' number is full: it holds ten hours of messages"),
    "quiet_hours": Problem(400, 30047, "It is within the quiet hours of the 'To' number {value}"),
    "recipient_invalid": Problem(400, 21211, "The 'To' number {value} is not a valid phone number"),
    "recipient_is_landline": Problem(400, 21635, "The 'To' number {value} is a landline, which messages do not reach"),
    "recipient_is_premium": Problem(400, 21268, "The 'To' number {value} is a premium-rate number"),
    "recipient_is_sender": Problem(400, 21266, "'To' and 'From' cannot be the same number: {value}"),
    "recipient_is_short_code": Problem(400, 21265, "The 'To' number {value} cannot be a short code"),
    "recipient_missing": Problem(400, 21604, "A 'To' number is required"),
    "recipient_not_mobile": Problem(400, 21614, "The 'To' number {value} is not a mobile number"),
    "recipient_unroutable": Problem(400, 21612, "The 'To' number {value} cannot be reached from this 'From' number"),
    "schedule_full": Problem(400, 35125, "The account has as many messages scheduled as it may have"),
    "send_at_out_of_window": Problem(400, 35114, "SendAt must be {value} seconds from now"),
    "sender_cannot_mms": Problem(400, 21621, "The 'From' number {value} is not enabled for MMS"),
    "sender_cannot_sms": Problem(400, 21606, "The 'From' number {value} is not a message-capable number of yours"),
    "sender_invalid": Problem(400, 21212, "The 'From' number {value} is not a valid phone number, short code or name"),
    "sender_is_caller_id": Problem(400, 21659, "The 'From' number {value} is a caller id, which cannot send messages"),
    "sender_missing": Problem(400, 21603, "A 'From' number is required"),
    "sender_not_in_pool": Problem(
        400, 21711, "The 'From' number {value} is not in the sender pool of the Messaging Service"
    ),
    "sender_not_owned": Problem(400, 21659, "The 'From' number {value} is not a number of this server"),
    "sender_not_ready": Problem(400, 63007, "No channel with the 'From' address {value} is ready to send"),
    "sender_of_another_account": Problem(400, 21660, "The 'From' number {value} does not belong to this account"),
    "service_unknown": Problem(400, 21701, "The Messaging Service {value} does not exist"),
    "status_callback_invalid": Problem(400, 21609, "StatusCallback {value}"),
    "validity_invalid": Problem(400, 21624, "ValidityPeriod must be a whole number of seconds from 1 to 36000"),
}

FAULTS: Final[dict[Kind, Problem]] = {
    "malformed": Problem(400, 20001, "The request could not be read"),
    "unsupported_content_type": Problem(415, 20001, "The content type of the request is not supported"),
    "too_large": Problem(413, 20413, "The request is too large"),
    "unauthorized": Problem(401, 20003, "Authenticate"),
    "forbidden": Problem(403, 20006, "Access denied"),
    "test_credentials": Problem(403, 20008, "Resource not accessible with test credentials"),
    "not_found": Problem(404, 20404, "The requested resource was not found"),
    "method_not_allowed": Problem(405, 20004, "The method is not allowed on this resource"),
    "invalid_parameter": Problem(400, 20001, "A parameter is invalid"),
    "too_many_requests": Problem(429, 20429, "Too many requests; try again shortly"),
    "unavailable": Problem(503, 20503, "The service is unavailable; try again shortly"),
    "internal": Problem(500, 20500, "The request failed inside the server; it was logged"),
}

_MAGIC_SENDER: Final = Problem(400, 21606, REFUSALS["sender_cannot_sms"].message)
_MISMATCH: Final = "The account SID or API key and its secret do not match, or are not those of this account"
_CHALLENGE: Final = ((b"www-authenticate", b'Basic realm="Twilio API"'),)


class Invalid(Fault):
    """A request that only this dialect knows to be wrong is refused, by its own code and, unless it is 400, status."""

    def __init__(self, code: int, detail: str, parameter: str | None = None, *, status: int = 400) -> None:
        super().__init__("invalid_parameter", detail, parameter)
        self.code = code
        self.status = status


def explain(error: Fault | Refused, scope: Scope) -> Reply:
    """Say why a request was refused. Source of the shape: twilio.com/docs/usage/twilios-response."""
    match error:
        case Refused():
            problem = REFUSALS[error.reason]
            if error.reason == "sender_not_owned" and error.value.startswith(magic_numbers.PREFIX):
                problem = _MAGIC_SENDER  # what Twilio documents for its test numbers
            message = problem.message.replace("{value}", error.value[:_MOST_QUOTED])
            code = problem.code
        case Invalid():
            problem = Problem(error.status, error.code, error.detail)
            message, code = problem.message, problem.code
        case Fault():
            problem = FAULTS[error.kind]
            message, code = error.detail or problem.message, problem.code
    if code == FAULTS["not_found"].code:
        message = f"The requested resource {scope['path'][:300]} was not found"
    body: dict[str, object] = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": problem.status,
    }
    if problem.status == 401:
        body["detail"] = _MISMATCH if message == FAULTS["unauthorized"].message else message
        return json_reply(401, body, _CHALLENGE)
    return json_reply(problem.status, body)
