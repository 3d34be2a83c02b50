"""Word the requests that tell of a message in SignalWire's JSON, and read what is answered.

The inbound webhook speaks to two kinds of apps at once: flat keys as the guides show them, and the real `message` and
`params` objects.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Final, Literal
from urllib.parse import urlencode

import msgspec

from parley.api.signalwire import failures, shapes
from parley.api.signalwire.media import MediaLinks
from parley.api.signalwire.signed import signed, without_userinfo
from parley.api.signalwire.swml import messaging
from parley.api.signalwire.swml.fault import Faulty
from parley.core.refusal import Reason
from parley.lib.ids import to_uuid
from parley.model.account import Account
from parley.model.callback import Callback
from parley.model.message import Media, Message, Status
from parley.webhooks.client import Answer
from parley.webhooks.overrides import split_url
from parley.webhooks.render import Failure, Rendered, Script, script

_REFUSALS: Final[dict[Reason, str]] = {
    "body_missing": "swml_reply_body_or_media_required",
    "body_too_long": "swml_reply_character_limit_exceeded",
    "media_limit_exceeded": "swml_reply_media_limit_exceeded",
    "opted_out": "number_blacklisted",
    "recipient_invalid": "swml_reply_invalid_to_number",
    "recipient_is_sender": "swml_reply_invalid_to_number",
    "recipient_missing": "swml_reply_invalid_to_number",
    "sender_cannot_mms": "swml_reply_missing_messaging_capability",
    "sender_cannot_sms": "swml_reply_missing_messaging_capability",
    "sender_invalid": "swml_reply_invalid_from_number",
    "sender_is_caller_id": "swml_reply_invalid_from_number",
    "sender_not_owned": "swml_reply_invalid_from_number",
    "sender_of_another_account": "swml_reply_invalid_from_number",
}
MiddleState = Literal["initiated", "sending", "none"]

_encode: Final = msgspec.json.Encoder().encode
_JSON: Final = "application/json"
_TOO_LONG: Final = "the answer is longer than 64 kB"


class SignalWireRenderer:
    """SignalWire's side of webhooks. `public_url` is where apps reach this server, for media; `middle_state` is how
    apps know the state between `queued` and `sent`, none when they are not told of it.
    """

    _states: ClassVar[frozenset[Status]] = frozenset(
        {"queued", "sending", "sent", "delivered", "undelivered", "failed", "canceled", "read"}
    )

    def __init__(self, links: MediaLinks, public_url: str, middle_state: MiddleState = "initiated") -> None:
        self._links = links
        self._public_url = public_url.rstrip("/")
        self._statuses = {**shapes.STATUSES, "sending": middle_state}
        self._told = self._states - {"sending"} if middle_state == "none" else self._states

    @property
    def states(self) -> Collection[Status]:
        """Every change of state, but for the middle one where nobody is told of it."""
        return self._told

    def status(self, account: Account, message: Message, callback: Callback) -> Rendered:
        """The status callback. Source: message-status-callback page; `message_id` is the guides' name of `id`."""
        id = to_uuid(message.id)
        code, text = shapes.problem(message, callback.status, callback.error_code)
        told: dict[str, Any] = {
            "id": id,
            "message_id": id,
            "project_id": to_uuid(message.account_id),
            "status": self._statuses[callback.status],
            "to": message.recipient,
            "from": message.sender,
            "body": message.body,
            "number_of_segments": message.segments,
            "timestamp": shapes.at(callback.created_at),
            "error_code": code,
            "error_message": text,
        }
        if message.extras is not None and (variables := msgspec.json.decode(message.extras).get("custom_variables")):
            told["custom_variables"] = variables
        return _request(account, callback.url, callback.method, told)

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
        """The inbound webhook. Source: the guides (flat keys), SWML's inbound message webhook (`message`, `params`).

        By GET the flat keys are in the query, `media` once for each attachment, and there is no body.
        """
        items = self._items(media, callback)
        told: dict[str, Any] = {
            "message_id": to_uuid(message.id),
            "from": message.sender,
            "to": message.recipient,
            "body": message.body,
            "media": [item["url"] for item in items],
            "timestamp": shapes.at(message.created_at),
        }
        if failure is not None:
            told |= {
                "error_code": failures.word(failure.code, is_inbound=True),
                "error_url": without_userinfo(failure.url),  # whose credentials are none of the fallback's business
            }
        if method == "GET":
            return _request(account, url, method, {**told, **dict(extra)})
        told["message"] = self._message(message, items)
        told["params"] = dict(extra)
        return _request(account, url, method, told)

    def action_parameters(self, sent: Message) -> Sequence[tuple[str, str]]:
        """What became of a reply, by the names of SWML's variables."""
        return (("reply_result", "queued"), ("reply_message_id", to_uuid(sent.id)))

    def refusal(self, reason: Reason) -> int:
        """The number that stands for SWML's error of a reply."""
        return failures.SWML_NUMBERS[_REFUSALS.get(reason, "swml_reply_failed")]

    def read(
        self, account: Account, message: Message, media: Sequence[Media], callback: Callback, answer: Answer
    ) -> Script:
        """Carry a SWML document out; any other answer asks for nothing. Raises UnreadableAnswer."""
        try:
            program = messaging.read_answer(answer.headers.get("content-type"), answer.body)
        except Faulty:
            if answer.is_truncated:
                raise Faulty("swml_invalid_document", _TOO_LONG) from None
            raise
        if program is not None and answer.is_truncated:
            raise Faulty("swml_invalid_document", _TOO_LONG)
        if program is None:
            return script(())
        return messaging.run(program, account, self._message(message, self._items(media, callback)), answer.url)

    def _items(self, media: Sequence[Media], callback: Callback) -> list[dict[str, Any]]:
        return [
            {
                "url": self._links.url(self._public_url, item, callback.created_at),
                "content_type": item.content_type,
                "size": item.size,
            }
            for item in media
        ]

    def _message(self, message: Message, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The inbound message as SWML knows it."""
        project_id = to_uuid(message.account_id)
        return {
            "message_id": to_uuid(message.id),
            "project_id": project_id,
            "space_id": project_id,
            "direction": "inbound",
            "type": message.kind,
            "from": message.sender,
            "to": message.recipient,
            "body": message.body or None,
            "media": items,
            "segments": message.segments,
            "timestamp": shapes.at(message.created_at),
        }


def _request(account: Account, url: str, method: str, told: Mapping[str, Any]) -> Rendered:
    if method == "GET":
        target = split_url(url)[0]
        query = urlencode(list(_flat(told)))
        return signed(account, method, f"{target}{'&' if '?' in target else '?'}{query}", None)
    return signed(account, method, url, _encode(told), (("Content-Type", _JSON),))


def _flat(told: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in told.items():
        if isinstance(value, list):
            pairs += [(name, item) for item in value]
        else:
            pairs.append((name, msgspec.to_builtins(value)))  # times as JSON spells them
    return pairs
