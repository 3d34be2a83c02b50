"""Twilio's side of webhooks: how status callbacks and inbound messages are told, signed, and how answers are read."""

import hashlib
import time
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from msgspec import json

from parley.api.twilio import laml, render, twiml
from parley.api.twilio.delivery_errors import text_of
from parley.core.refusal import Reason
from parley.lib import ids
from parley.lib.phone import place
from parley.model.account import Account
from parley.model.callback import Callback
from parley.model.laml import is_laml
from parley.model.message import Media, Message, Status
from parley.webhooks import form
from parley.webhooks.client import Answer
from parley.webhooks.overrides import split_url
from parley.webhooks.render import Failure, Rendered, Script, script
from parley.webhooks.sign import signalwire_form, twilio_form

_FORM: Final = ("Content-Type", "application/x-www-form-urlencoded")
_WHATSAPP: Final = "whatsapp:"
_INVALID_TO: Final = 14101
_INVALID_FROM: Final = 14102
_INVALID_BODY: Final = 14103
_NOT_SENT: Final = 14107
_REFUSALS: Final[dict[Reason, int]] = {
    "recipient_invalid": _INVALID_TO,
    "recipient_missing": _INVALID_TO,
    "recipient_is_sender": _INVALID_TO,
    "sender_invalid": _INVALID_FROM,
    "sender_is_caller_id": _INVALID_FROM,
    "sender_not_owned": _INVALID_FROM,
    "sender_of_another_account": _INVALID_FROM,
    "body_missing": _INVALID_BODY,
    "body_too_long": _INVALID_BODY,
    "media_limit_exceeded": _INVALID_BODY,
    "opted_out": 21610,
}

Parameters = dict[str, str]


class TwilioRenderer:
    """Renders for the Twilio dialect. `public_url` is where this server is reached, for the URLs of media."""

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url.rstrip("/")

    @property
    def states(self) -> Collection[Status]:
        """None for `sending`, which is transient. A message that no service sends begins as `queued`, which is not
        told; one that a service sends enters it when its sender is chosen.

        Source: twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks.
        """
        return frozenset({"queued", "sent", "delivered", "undelivered", "failed", "canceled", "read"})

    def status(self, account: Account, message: Message, callback: Callback) -> Rendered:
        """A status callback. Source: twilio.com/docs/messaging/guides/track-outbound-message-status."""
        sid = render.message_sid(message)
        status = callback.status
        params: Parameters = {
            "ApiVersion": render.VERSION,
            "AccountSid": f"AC{message.account_id.hex()}",
            "MessageSid": sid,
            "SmsSid": sid,
            "MessageStatus": status,
            "SmsStatus": status,
            "From": message.sender or "",
            "To": message.recipient,
        }
        if message.service_id is not None:
            params["MessagingServiceSid"] = f"MG{message.service_id.hex()}"
        if status in ("failed", "undelivered") and callback.error_code is not None:
            text = text_of(callback.error_code)
            params["ErrorCode"] = str(callback.error_code)
            params["ErrorMessage"] = text
            if message.kind == "whatsapp":
                params["ChannelStatusMessage"] = text
        if message.kind == "whatsapp":
            params["ChannelPrefix"] = "whatsapp"
            if status == "read":
                params["EventType"] = "READ"
        elif status in ("delivered", "undelivered"):
            params["RawDlrDoneDate"] = time.strftime("%y%m%d%H%M", time.gmtime(callback.created_at // 1_000_000))
        if is_laml(message.extras):
            params = laml.parameters(params)
        return self._rendered(account, callback.url, callback.method, params, callback.id)

    def inbound(
        self,
        account: Account,
        message: Message,
        media: Sequence[Media],
        callback: Callback,
        *,
        url: str,
        method: str,
        extra: Sequence[tuple[str, str]] = (),
        failure: Failure | None = None,
    ) -> Rendered:
        """An inbound message. Source: twilio.com/docs/messaging/guides/webhook-request."""
        sid = render.message_sid(message)
        params: Parameters = {
            "ApiVersion": render.VERSION,
            "AccountSid": f"AC{message.account_id.hex()}",
            "MessageSid": sid,
            "SmsSid": sid,
            "SmsMessageSid": sid,
            "SmsStatus": message.status,
            "From": message.sender or "",
            "To": message.recipient,
            "Body": message.body,
            "NumSegments": render.segments_of(message),
            "NumMedia": str(len(media)),
        }
        if message.service_id is not None:
            params["MessagingServiceSid"] = f"MG{message.service_id.hex()}"
        for n, item in enumerate(media):
            params[f"MediaContentType{n}"] = item.content_type or ""
            params[f"MediaUrl{n}"] = self._public_url + render.media_path(message, item)
        if message.kind == "whatsapp":
            params["WaId"] = (message.sender or "").removeprefix(_WHATSAPP).lstrip("+")
        else:
            params |= _place("From", message.sender or "") | _place("To", message.recipient)
        if (keyword := _opt_out_type(callback)) is not None:
            params["OptOutType"] = keyword
        params |= extra
        if failure is not None:
            params |= {"ErrorCode": str(failure.code), "ErrorUrl": split_url(failure.url)[0]}
        if is_laml(message.extras):
            params = laml.parameters(params)
        return self._rendered(account, url, method, params, _token(callback, url, extra))

    def action_parameters(self, sent: Message) -> Sequence[tuple[str, str]]:
        """The reply in place of the inbound message, which SmsMessageSid still names."""
        sid = render.message_sid(sent)
        return (("MessageSid", sid), ("SmsSid", sid), ("MessageStatus", sent.status), ("SmsStatus", sent.status))

    def refusal(self, reason: Reason) -> int:
        """Twilio's errors of replies, which speak of `<Message>`."""
        return _REFUSALS.get(reason, _NOT_SENT)

    def read(
        self, account: Account, message: Message, media: Sequence[Media], callback: Callback, answer: Answer
    ) -> Script:
        """The verbs of a TwiML or plain-text answer. Raises UnreadableAnswer."""
        return script(twiml.parse(answer.body, answer.headers.get("content-type")))

    def _rendered(self, account: Account, url: str, method: str, params: Parameters, token: bytes) -> Rendered:
        bare, _ = split_url(url)
        encoded = form.encode(params)
        told = ("I-Twilio-Idempotency-Token", ids.to_uuid(token))
        if method == "GET":
            full = f"{bare}{'&' if '?' in bare else '?'}{encoded}"
            return Rendered("GET", full, (*_signatures(account, full, ()), told), None)
        return Rendered("POST", bare, (_FORM, *_signatures(account, bare, params.items()), told), encoded.encode())


def _signatures(account: Account, url: str, params: Collection[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Both services' signatures of a form: a LaML app checks SignalWire's, under the project's signing key."""
    return (
        ("X-Twilio-Signature", twilio_form(account.auth_token.reveal(), url, params)),
        ("X-SignalWire-Signature", signalwire_form(account.signing_key.reveal(), url, params)),
    )


def _place(end: str, address: str) -> Parameters:
    known = place(address)
    return {
        f"{end}City": known.city,
        f"{end}State": known.state,
        f"{end}Zip": known.zip,
        f"{end}Country": known.country,
    }


def _opt_out_type(callback: Callback) -> str | None:
    if callback.data is None:
        return None
    found = json.decode(callback.data).get("opt_out_type")
    return str(found) if found is not None else None


def _token(callback: Callback, url: str, extra: Iterable[tuple[str, str]]) -> bytes:
    """The same for each attempt at one document, the fallback's included; another for where a document leads to."""
    told = tuple(extra)
    if not told and url in (callback.url, callback.fallback_url):
        return callback.id
    return hashlib.blake2b(callback.id + repr((url, told)).encode(), digest_size=16).digest()
