"""Twilio's products on the one port: by the host that its clients ask for, or by a prefix of the path.

`messaging.twilio.com/v1/Services` and `/messaging/v1/Services` are one operation. Clients that were pointed here by a
proxy or an HTTP client of their own keep the host; those whose base URL was changed give the prefix.
"""

from typing import Final

from starlette.types import Scope

PRODUCTS: Final = ("content", "conversations", "lookups", "messaging", "pricing", "sync", "verify")
"""What is served beside the API of 2010, which needs neither host nor prefix."""

_PREFIXES: Final = tuple(f"/{product}/v" for product in PRODUCTS)
_VERSIONS: Final = ("/v1/", "/v2/", "/v3/")
DOMAIN: Final = ".twilio.com"
"""What all its hosts are below."""


def place(scope: Scope) -> None:
    """Give a request of a product the path `/<product>/v<n>/...`, and note the prefix that its client knows it by."""
    path: str = scope["path"]
    if path.startswith(_PREFIXES):
        scope["parley.prefix"] = path[: path.index("/", 1)]
    elif path.startswith(_VERSIONS) and (product := _product(scope)):
        scope["path"] = f"/{product}{path}"
        scope["parley.product"] = product
        # Its clients reach that host by TLS alone. A link without would take them, and their credentials, past us.
        scope["scheme"] = "https"


def _product(scope: Scope) -> str | None:
    """The product of the Host header: `messaging.twilio.com`, also `messaging.<edge>.<region>.twilio.com`."""
    host: bytes = next((value for name, value in scope["headers"] if name == b"host"), b"")
    name = host.decode("latin-1").partition(":")[0].lower()
    first = name.partition(".")[0]
    return first if name.endswith(DOMAIN) and first in PRODUCTS else None
