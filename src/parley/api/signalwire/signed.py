"""Sign the requests that we make to customers, in SignalWire's scheme for JSON."""

from parley.model.account import Account
from parley.webhooks.overrides import split_url
from parley.webhooks.render import Rendered
from parley.webhooks.sign import signalwire_json


def signed(
    account: Account, method: str, url: str, body: bytes | None, headers: tuple[tuple[str, str], ...] = ()
) -> Rendered:
    """A request to a URL, whose fragment is ours, with its signatures: over the URL, its userinfo and query included,
    and the raw body.
    """
    target = split_url(url)[0]
    sha1, sha256 = signalwire_json(account.signing_key.reveal(), target, body or b"")
    signatures = (("X-SignalWire-Signature", sha1), ("X-SignalWire-SHA256-Signature", sha256))
    return Rendered(method, target, (*headers, *signatures), body)
