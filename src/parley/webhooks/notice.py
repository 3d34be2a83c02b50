"""Notices: callbacks that tell of something other than a message, and hold all that they say."""

from msgspec import json

from parley.lib import ids
from parley.model.account import Account
from parley.model.callback import Callback
from parley.webhooks import form
from parley.webhooks.overrides import split_url
from parley.webhooks.render import Rendered
from parley.webhooks.sign import signalwire_json, twilio_form


def rendered(account: Account, callback: Callback) -> Rendered:
    """The request of a notice: its data as a form, signed as Twilio signs forms; as JSON in SignalWire's dialect."""
    if callback.dialect == "signalwire":
        return _json(account, callback)
    params: dict[str, str] = json.decode(callback.data or "{}", type=dict[str, str])
    bare, _ = split_url(callback.url)
    encoded = form.encode(params)
    token = account.auth_token.reveal()
    told = ("I-Twilio-Idempotency-Token", ids.to_uuid(callback.id))
    if callback.method == "GET":
        full = f"{bare}{'&' if '?' in bare else '?'}{encoded}"
        return Rendered("GET", full, (("X-Twilio-Signature", twilio_form(token, full)), told), None)
    headers = (
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("X-Twilio-Signature", twilio_form(token, bare, params.items())),
        told,
    )
    return Rendered("POST", bare, headers, encoded.encode())


def _json(account: Account, callback: Callback) -> Rendered:
    bare, _ = split_url(callback.url)
    body = (callback.data or "{}").encode()
    sha1, sha256 = signalwire_json(account.signing_key.reveal(), bare, body)
    headers = (
        ("Content-Type", "application/json"),
        ("X-SignalWire-Signature", sha1),
        ("X-SignalWire-SHA256-Signature", sha256),
    )
    return Rendered("POST", bare, headers, body)
