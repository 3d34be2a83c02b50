"""Signatures of outgoing webhooks, in both dialects' schemes: pure functions of the key and what is sent."""

import base64
import hmac
from collections.abc import Iterable


def twilio_form(token: str, url: str, params: Iterable[tuple[str, str]] = ()) -> str:
    """`X-Twilio-Signature` of a form POST; of a GET when `params` is empty, its parameters being in the URL.

    base64(HMAC-SHA1(auth token, URL + each distinct key and value, sorted)). The URL is the one requested, query and
    all, without the `#` overrides. Source: twilio.com/docs/usage/security.
    """
    pairs = "".join([key + value for key, value in sorted(set(params))])
    return base64.b64encode(hmac.digest(token.encode(), (url + pairs).encode(), "sha1")).decode("ascii")


def signalwire_json(key: str, url: str, body: bytes) -> tuple[str, str]:
    """`X-SignalWire-Signature` and `X-SignalWire-SHA256-Signature` of a JSON webhook: hex HMAC-SHA1 and HMAC-SHA256
    of the URL as configured (userinfo included) followed by the raw body. Source: SWML webhook security guide.
    """
    text = url.encode() + body
    return hmac.digest(key.encode(), text, "sha1").hex(), hmac.digest(key.encode(), text, "sha256").hex()


def signalwire_form(key: str, url: str, params: Iterable[tuple[str, str]] = ()) -> str:
    """`X-SignalWire-Signature` of a LaML (form) webhook: Twilio's scheme under the project's signing key.
    Source: SignalWire's SDK request validators.
    """
    return twilio_form(key, url, params)
