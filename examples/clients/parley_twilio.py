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

from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client


class ParleyHttpClient(TwilioHttpClient):
    """Takes requests that are meant for twilio.com to your own server."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(**options)
        self._server = url

    def request(
        self, method: str, url: str, params: Any = None, data: Any = None, headers: Any = None, **rest: Any
    ) -> Any:
        """Make one request."""
        url, headers = led(self._server, url, headers)
        return super().request(method, url, params, data, headers, **rest)


class AsyncParleyHttpClient(AsyncTwilioHttpClient):
    """The same for `create_async` and its like."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(**options)
        self._server = url

    async def request(
        self, method: str, url: str, params: Any = None, data: Any = None, headers: Any = None, **rest: Any
    ) -> Any:
        """Make one request."""
        url, headers = led(self._server, url, headers)
        return await super().request(method, url, params, data, headers, **rest)


def led(server: str, url: str, headers: dict[str, str] | None) -> tuple[str, dict[str, str] | None]:
    """Return where a request goes, and its headers: the server knows the product by the Host that was meant.

    A URL elsewhere is left as it is.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host.endswith(".twilio.com"):
        return url, headers
    path = parts._replace(scheme="", netloc="").geturl()
    return server.rstrip("/") + path, {**(headers or {}), "Host": host}


def connect() -> Client:
    """Return the official client, for Parley where PARLEY_URL says where that is."""
    url = os.environ.get("PARLEY_URL")
    return Client(http_client=ParleyHttpClient(url) if url else None)
