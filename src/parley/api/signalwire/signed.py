"""Sign the requests that we make to customers, in SignalWire's scheme for JSON."""

import re

from parley.model.account import Account
from parley.webhooks.overrides import split_url
from parley.webhooks.render import Rendered
from parley.webhooks.sign import signalwire_json

_USERINFO = re.compile(r"(?<=://)[^/?#]*@")


def signed(
    account: Account,
    method: str,
    url: str,
    body: bytes | None,
    headers: tuple[tuple[str, str], ...] = (),
    *,
    in_call: bool = False,
) -> Rendered:
    """A request to a URL, whose fragment is ours, with its signatures: over the URL with its query and the raw body.
    The URL's userinfo is signed too, but not in calls. Source: SWML webhook security guide.
    """
    target = split_url(url)[0]
    named = without_userinfo(target) if in_call else target
    sha1, sha256 = signalwire_json(account.signing_key.reveal(), named, body or b"")
    signatures = (("X-SignalWire-Signature", sha1), ("X-SignalWire-SHA256-Signature", sha256))
    return Rendered(method, target, (*headers, *signatures), body)


def without_userinfo(url: str) -> str:
    """A URL without the name and password in it."""
    return _USERINFO.sub("", url)
