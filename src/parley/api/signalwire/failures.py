"""Why a message was not delivered: Twilio's numbers, which the record keeps, in SignalWire's words."""

from typing import Final

UNKNOWN: Final = "unknown_error"
WORDS: Final[dict[int, str]] = {
    11200: "media_download_failed",
    11205: "media_connection_timeout",
    11206: "media_request_failed",
    11210: "media_request_failed",
    11215: "media_request_failed",
    11217: "media_request_failed",
    11220: "media_request_failed",
    11235: "media_request_failed",
    11236: "media_request_failed",
    11237: "media_request_failed",
    11321: "media_request_failed",
    11751: "media_exceeds_size_limit",
    12300: "unsupported_media_type",
    21610: "message_blocked_by_number",
    30001: "max_queued_messages_exceeded",
    30002: "sending_disabled_for_space",
    30003: "unreachable_destination_handset",
    30004: "message_blocked_by_carrier",
    30005: "unknown_destination_handset",
    30006: "unrouteable_message",
    30007: "message_filtered",
    30008: UNKNOWN,
    30011: "mms_expired_rejected_failed_or_unsupported",
    30017: "unable_to_deliver_to_carrier",
    30019: "media_exceeds_size_limit",
    30022: "campaign_throughput_exceeded",
    30023: "sole_proprietor_daily_limit_exceeded",
    30024: "missing_messaging_capability",
    30027: "tmobile_daily_limit_reached",
    30032: "carrier_violation",
    30033: "associated_campaign_suspended",
    30034: "carrier_violation",
    30035: "carrier_violation",
    30036: "message_validity_period_expired_at_carrier",
    30038: "message_filtered",
    30039: "message_filtered",
    30410: "unable_to_deliver_to_carrier",
    30500: "internal_error_occurred",
}
"""11200 to 12300 stand on outbound messages whose media could not be fetched. Source: both APIs' error lists."""

SWML_NUMBERS: Final[dict[str, int]] = {
    "swml_invalid_document": 12100,
    "swml_unsupported_method": 12200,
    "json_or_yaml_required": 12300,
    "http_retrieval_error": 11200,
    "swml_reply_invalid_to_number": 14101,
    "swml_reply_invalid_from_number": 14102,
    "swml_reply_body_or_media_required": 14103,
    "swml_reply_failed": 14107,
    "number_blacklisted": 21610,
    "swml_reply_missing_messaging_capability": 21606,
    "swml_reply_character_limit_exceeded": 21617,
    "swml_reply_media_limit_exceeded": 21623,
    "swml_reply_inactive_campaign": 30034,
    "swml_missing_entry_point": 12150,
    "swml_invalid_section_format": 12151,
    "swml_section_not_found": 12152,
    "swml_switch_no_match": 12153,
    "swml_switch_invalid_transform": 12154,
    "swml_goto_label_not_found": 12155,
    "swml_request_url_required": 12156,
    "swml_transfer_failed": 12157,
    "swml_transfer_fetch_failed": 12158,
    "swml_transfer_document_invalid": 12159,
    "swml_execute_fetch_failed": 12160,
    "swml_execute_document_invalid": 12161,
}
"""What the record keeps for SWML's faults: Twilio's numbers where Twilio has one for the same, and from 12150 on our
own, which Twilio uses for nothing. Source: SWML's error codes."""

WEBHOOK_WORDS: Final[dict[int, str]] = {
    **{number: word for word, number in SWML_NUMBERS.items()},
    11321: "url_failed_to_parse",
    11750: "http_retrieval_error",
    14109: "swml_reply_failed",
    30006: "unrouteable_message",
}
"""The same numbers on inbound messages, where they tell of the webhook and its answer, or that there is no handler."""

_TEXTS: Final[dict[str, str]] = {
    "unreachable_destination_handset": "The handset is switched off or out of reach",
    "unknown_destination_handset": "The number is not in service",
    "message_blocked_by_carrier": "The carrier or the recipient blocks messages from this number",
    "message_blocked_by_number": "The recipient has opted out of messages from this number",
    "message_filtered": "The carrier's filter stopped the message",
    "message_validity_period_expired_at_carrier": "The message could not be sent within its validity period",
    "unrouteable_message": "There is no route to this number",
}


def word(code: int | None, *, is_inbound: bool = False) -> str | None:
    """SignalWire's word for an error code; None for none."""
    if code is None:
        return None
    if is_inbound:
        return WEBHOOK_WORDS.get(code, "http_retrieval_error" if 11200 <= code < 11400 else "swml_invalid_document")
    return WORDS.get(code, UNKNOWN)


def text(code: int | None, known: str | None, *, is_inbound: bool = False) -> str | None:
    """A sentence for an error code; None without a code. What the record `known` says is for whoever wrote a webhook's
    answer, and of no delivery or connection: what carriers and hosts say may name what is inside.
    """
    found = word(code, is_inbound=is_inbound)
    if found is None:
        return None
    if not is_inbound or found == "http_retrieval_error":
        known = None
    return known or _TEXTS.get(found) or found.replace("_", " ").capitalize()
