"""Word the requests that tell of a message in SignalWire's JSON, and read what is answered.

The inbound webhook speaks to two kinds of apps at once: flat keys as the guides show them, and the real `message` and
`params` objects.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

import msgspec

from parley.api.signalwire import failures, shapes
from parley.api.signalwire.media import MediaLinks
from parley.api.signalwire.swml import read_document
from parley.lib.ids import to_uuid
from parley.model.account import Account
from parley.model.callback import Callback
from parley.model.message import Media, Message, Status
from parley.webhooks.overrides import split_url
from parley.webhooks.render import Failure, Rendered, Verb
from parley.webhooks.sign import signalwire_json

_encode: Final = msgspec.json.Encoder().encode
_JSON: Final = "application/json"
_USERINFO = re.compile(r"(?<=://)[^/?#]*@")
"""The fallback's host need not know the credentials of the first."""


class SignalWireRenderer:
    """SignalWire's side of webhooks. `public_url` is where apps reach this server, for media."""

    _states: ClassVar[Collection[Status]] = frozenset(
        {"queued", "sending", "sent", "delivered", "undelivered", "failed", "canceled", "read"}
    )

    def __init__(self, links: MediaLinks, public_url: str) -> None:
        self._links = links
        self._public_url = public_url.rstrip("/")

    @property
    def states(self) -> Collection[Status]:
        """Every change of state."""
        return self._states

    def status(self, account: Account, message: Message, callback: Callback) -> Rendered:
        """The status callback. Source: message-status-callback page; `message_id` is the guides' name of `id`."""
        id = to_uuid(message.id)
        code, text = shapes.problem(message, callback.status, callback.error_code)
        told: dict[str, Any] = {
            "id": id,
            "message_id": id,
            "project_id": to_uuid(message.account_id),
            "status": shapes.STATUSES[callback.status],
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
        items = [
            {
                "url": self._links.url(self._public_url, item, callback.created_at),
                "content_type": item.content_type,
                "size": item.size,
            }
            for item in media
        ]
        id, project_id = to_uuid(message.id), to_uuid(message.account_id)
        timestamp = shapes.at(message.created_at)
        told: dict[str, Any] = {
            "message_id": id,
            "from": message.sender,
            "to": message.recipient,
            "body": message.body,
            "media": [item["url"] for item in items],
            "timestamp": timestamp,
        }
        if failure is not None:
            told |= {
                "error_code": failures.word(failure.code, is_inbound=True),
                "error_url": _USERINFO.sub("", failure.url),
            }
        if method == "GET":
            return _request(account, url, method, {**told, **dict(extra)})
        told["message"] = {
            "message_id": id,
            "project_id": project_id,
            "space_id": project_id,
            "direction": "inbound",
            "type": message.kind,
            "from": message.sender,
            "to": message.recipient,
            "body": message.body or None,
            "media": items,
            "segments": message.segments,
            "timestamp": timestamp,
        }
        told["params"] = dict(extra)
        return _request(account, url, method, told)

    def action_parameters(self, sent: Message) -> Sequence[tuple[str, str]]:
        """What became of a reply, by the names of SWML's variables."""
        return (("reply_result", "queued"), ("reply_message_id", to_uuid(sent.id)))

    def read(self, content_type: str | None, body: bytes) -> list[Verb]:
        """What an answer asks for: a SWML document's replies; nothing for any other. Raises UnreadableAnswer."""
        return read_document(content_type, body)


def _request(account: Account, url: str, method: str, told: Mapping[str, Any]) -> Rendered:
    """A signed request: over the URL as it is requested, its userinfo and query included, and the raw body."""
    target = split_url(url)[0]
    key = account.signing_key.reveal()
    if method == "GET":
        target = f"{target}{'&' if '?' in target else '?'}{urlencode(list(_flat(told)))}"
        body = None
    else:
        body = _encode(told)
    sha1, sha256 = signalwire_json(key, target, body or b"")
    signatures = (("X-SignalWire-Signature", sha1), ("X-SignalWire-SHA256-Signature", sha256))
    return Rendered(method, target, (("Content-Type", _JSON), *signatures) if body is not None else signatures, body)


def _flat(told: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in told.items():
        if isinstance(value, list):
            pairs += [(name, item) for item in value]
        else:
            plain = msgspec.to_builtins(value)  # times as JSON spells them
            pairs.append((name, plain if isinstance(plain, str) else _encode(plain).decode()))
    return pairs
