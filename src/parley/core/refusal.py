"""Why the core refuses a request, in its own words. Each dialect has a table from these to its codes and texts."""

from typing import Literal

Reason = Literal[
    "account_suspended",
    "application_unknown",
    "body_missing",
    "body_too_long",
    "channels_differ",
    "country_not_enabled",
    "key_reused",
    "media_limit_exceeded",
    "media_url_invalid",
    "not_cancelable",
    "not_found",
    "funds_spent",
    "in_progress",
    "name_taken",
    "no_fitting_sender",
    "number_invalid",
    "number_taken",
    "number_unavailable",
    "opted_out",
    "pool_empty",
    "pool_full",
    "queue_full",
    "quiet_hours",
    "recipient_invalid",
    "recipient_is_landline",
    "recipient_is_premium",
    "recipient_is_sender",
    "recipient_is_short_code",
    "recipient_missing",
    "recipient_not_mobile",
    "recipient_unroutable",
    "schedule_full",
    "send_at_out_of_window",
    "sender_cannot_mms",
    "sender_cannot_sms",
    "sender_invalid",
    "sender_is_caller_id",
    "sender_missing",
    "sender_not_in_pool",
    "sender_not_owned",
    "sender_not_ready",
    "sender_of_another_account",
    "service_unknown",
    "status_callback_invalid",
    "validity_invalid",
]


class Refused(Exception):
    """A request that changes nothing. `value` is the offending input, for the error's text."""

    def __init__(self, reason: Reason, value: str = "") -> None:
        super().__init__(reason)
        self.reason: Reason = reason
        self.value = value
