"""A client of SignalWire's REST API as the guides write it, which holds every answer against the API's description."""

from typing import Any, Final

import requests
from requests.auth import HTTPBasicAuth

from tests.openapi import validate_signalwire_answer
from tests.server import Server

_TIMEOUT_S: Final = 70
_DESCRIBED: Final = ("/api/messaging/messages", "/api/messaging/logs")
_UNDESCRIBED: Final = frozenset({403, 405, 413, 415, 503})
"""Answers that any API may give, and that SignalWire's pages don't list."""


class Client:
    """Requests with the project's credentials."""

    def __init__(self, server: Server) -> None:
        self.space_url = server.base_url
        self.auth = HTTPBasicAuth(server.project_id, server.auth_token)

    def ask(self, method: str, path: str, expect: int | None = None, **options: Any) -> Any:
        """Make a request, hold its status against `expect`, and return its JSON."""
        response = self.raw(method, path, **options)
        body = response.json() if response.content else None
        if expect is not None:
            assert response.status_code == expect, response.text
        assert response.headers["content-type"] == "application/json"
        is_ours = path.startswith("/api/messaging/messages") and method == "GET"
        if path.startswith(_DESCRIBED) and not is_ours and response.status_code not in _UNDESCRIBED:
            validate_signalwire_answer(method, path, response.status_code, body)
        return body

    def raw(self, method: str, path: str, **options: Any) -> requests.Response:
        """Make a request."""
        options.setdefault("auth", self.auth)
        response = requests.request(method, f"{self.space_url}{path}", timeout=_TIMEOUT_S, **options)
        assert response.status_code < 500, response.text
        return response

    def send(self, **given: Any) -> Any:
        """Send a message, and return it."""
        given = {"from": "+15551234567", "body": "Hello", **given}
        return self.ask("POST", "/api/messaging/messages", 201, json=given)

    def codes(self, method: str, path: str, **options: Any) -> list[tuple[str, str | None]]:
        """Make a request that is refused with 422, and return code and attribute of each error."""
        errors = self.ask(method, path, 422, **options)["errors"]
        return [(error["code"], error.get("attribute")) for error in errors]

    def inbox(self, phone: str, contains: str | None = None) -> list[dict[str, Any]]:
        """Wait for what arrives at a simulated phone."""
        asked = {"wait": "30", **({"contains": contains} if contains is not None else {})}
        answer = self.raw("GET", f"/simulator/phones/{phone}/messages", params=asked)
        found: list[dict[str, Any]] = answer.json()["messages"]
        return found

    def phone_sends(self, phone: str, to: str, body: str = "", **more: Any) -> str:
        """Send from a simulated phone, and return the message's id."""
        answer = self.raw("POST", f"/simulator/phones/{phone}/messages", json={"to": to, "body": body, **more})
        assert answer.status_code == 201, answer.text
        message_id: str = answer.json()["message_id"]
        return message_id
