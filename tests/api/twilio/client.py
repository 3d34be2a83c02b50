"""The official client against a server under test, with every answer held against Twilio's published description."""

import json
from typing import Any
from urllib.parse import urlsplit

import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from parley.api.http.products import PRODUCTS
from tests.openapi import validate_answer
from tests.server import Server


class Checked(TwilioHttpClient):
    """Sends as the official one does, and validates what comes back."""

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Make one request."""
        response = super().request(method, url, *args, **kwargs)
        body = json.loads(response.text) if response.text else None
        path = urlsplit(url).path.removeprefix("/api/laml")
        validate_answer(method, path, response.status_code, body)
        return response


def client_of(server: Server, prefix: str = "") -> Client:
    """Return the official client, speaking to the server, which serves the API of 2010 bare and below `/api/laml`,
    and the other products each below a prefix.
    """
    client = Client(server.account_sid, server.auth_token, http_client=Checked())
    client.api.base_url = server.base_url + prefix
    for product in PRODUCTS:
        getattr(client, product).base_url = f"{server.base_url}/{product}"
    return client


def ask(server: Server, method: str, path: str, **kwargs: Any) -> requests.Response:
    """Make a plain request to the server, with the first account's credentials unless others are given."""
    return requests.request(method, server.base_url + path, timeout=30, **{"auth": server.auth, **kwargs})


class Raw:
    """Plain requests to the account's resources, their answers validated too."""

    def __init__(self, server: Server) -> None:
        self.account = f"/2010-04-01/Accounts/{server.account_sid}"
        self._base_url = server.base_url
        self._session = requests.Session()
        self._session.auth = server.auth

    def __call__(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Make one request; `path` is below the account's."""
        response = self._session.request(method, f"{self._base_url}{self.account}{path}", **kwargs)
        if response.headers.get("Content-Type") == "application/json":
            validate_answer(method, self.account + path, response.status_code, response.json())
        return response

    def message(self, **parameters: Any) -> requests.Response:
        """Create a message from the given parameters alone."""
        return self("POST", "/Messages.json", data=parameters)

    def outcome(self, method: str, path: str, **kwargs: Any) -> tuple[int, int]:
        """Return status and code of a refusal."""
        response = self(method, path, **kwargs)
        body = response.json()
        return response.status_code, body["code"]


def refusal(call: Any) -> tuple[int, int]:
    """Return status and code that the official client raises."""
    try:
        call()
    except TwilioRestException as error:
        return error.status, error.code
    raise AssertionError("it was not refused")
