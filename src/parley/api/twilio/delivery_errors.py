"""What Twilio's delivery codes mean, in a phrase: the ErrorMessage beside an ErrorCode that a carrier reported bare."""

from typing import Final

_TEXTS: Final[dict[int, str]] = {
    11200: "The media or the webhook could not be retrieved",
    11205: "No connection to the host of the webhook",
    11210: "The host of the URL does not exist",
    11215: "Too many redirects",
    11217: "The webhook answered with an error",
    11321: "The URL is not allowed to be called",
    11751: "The media are larger than the carrier takes",
    12100: "The answer to the webhook is not well-formed",
    12300: "The content type is not supported",
    21610: "The recipient has unsubscribed from this sender",
    30001: "Queue overflow",
    30002: "Account suspended",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30009: "Missing inbound segment",
    30010: "Message price exceeds the maximum",
    30011: "MMS not supported in the region of the recipient",
    30012: "Validity period too small",
    30020: "Internal error of the scheduler",
    30036: "Validity period expired",
    63001: "Channel could not authenticate the request",
    63003: "Channel could not find the recipient",
    63005: "Channel did not accept the content",
    63012: "Channel provider's internal error",
    63013: "Message violates the channel provider's policy",
    63016: "Message sent outside the allowed window; use a template",
    63018: "Rate limit of the channel exceeded",
    63019: "Media could not be downloaded",
    63021: "Channel found the content invalid",
    63024: "Recipient is invalid on the channel",
    63032: "Message cannot be sent to this user because of a limitation",
    63034: "Media exceed the size limit of the channel",
}


def text_of(code: int) -> str:
    """The meaning of a code, which may be a carrier's own."""
    return _TEXTS.get(code, f"The carrier reported error {code}")
