"""Points Twilio's Python SDK at Parley: all products, and the pages of lists.

    from parley_twilio import connect

    client = connect()

uses PARLEY_URL, TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN. Without PARLEY_URL it is Twilio's own client, and Twilio's
own service. For more say, hand ParleyHttpClient to `twilio.rest.Client` yourself. TWILIO_EDGE and TWILIO_REGION change
nothing here.
"""

import os
from typing import Any
from urllib.parse import urlsplit

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client


class ParleyHttpClient(TwilioHttpClient):
    """Takes requests that are meant for twilio.com to your own server, which knows the product by the Host header."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(**options)
        self._url = url.rstrip("/")

    def request(
        self, method: str, url: str, params: Any = None, data: Any = None, headers: Any = None, **rest: Any
    ) -> Any:
        """Make one request; a URL elsewhere is left as it is."""
        host = urlsplit(url).hostname or ""
        if host.endswith(".twilio.com"):
            headers = {**(headers or {}), "Host": host}
            url = self._url + url.partition(host)[2]
        return super().request(method, url, params, data, headers, **rest)


def connect() -> Client:
    """Return the official client, for Parley where PARLEY_URL says where that is."""
    url = os.environ.get("PARLEY_URL")
    return Client(http_client=ParleyHttpClient(url) if url else None)
