"""Read when a new message is to go. Source: twilio.com/docs/messaging/features/message-scheduling, and its errors."""

from parley.api.http.decode import Form
from parley.api.twilio.parameters import time_of
from parley.api.twilio.problems import Invalid


def send_at(form: Form, service: str | None) -> int | None:
    """The time that a message is scheduled for, in microseconds; None when it is to go at once.

    What is wrong with a schedule is said before what it would be for. Raises Invalid: 35126, 35111, 35114 for what is
    no time, 35118 without a `service`. Whether the time is near enough, and not too near, the core says.
    """
    kind, text = form.one("ScheduleType"), form.one("SendAt")
    if kind and kind.lower() != "fixed":
        raise Invalid(35126, "ScheduleType must be fixed", "ScheduleType")
    if kind and not text:
        raise Invalid(35111, "SendAt is required to schedule a message", "SendAt")
    if not text:
        return None
    if not service:
        raise Invalid(35118, "MessagingServiceSid is required to schedule a message", "MessagingServiceSid")
    if not kind:  # it would go at once, or never: neither is what was asked for
        raise Invalid(35126, "ScheduleType must be fixed for SendAt to have a meaning", "ScheduleType")
    at = time_of(text)
    if at is None:
        raise Invalid(35114, "SendAt must be a date and time of ISO 8601, such as 2030-01-31T09:30:00Z", "SendAt")
    return at
