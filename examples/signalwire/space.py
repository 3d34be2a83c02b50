"""Messages by SignalWire's REST API: sending them, and trying again what may pass."""

import os
import time
from collections.abc import Callable
from typing import Any

import requests


class RefusedError(Exception):
    """The message is not sent, however often it is tried; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code


class Space:
    """A space, or a Parley: SIGNALWIRE_SPACE_URL, SIGNALWIRE_PROJECT_ID and SIGNALWIRE_API_TOKEN say which."""

    def __init__(self, attempts: int = 4, sleep: Callable[[float], None] = time.sleep) -> None:
        self._url = os.environ["SIGNALWIRE_SPACE_URL"].rstrip("/") + "/api/messaging/messages"
        self._http = requests.Session()
        self._http.auth = (os.environ["SIGNALWIRE_PROJECT_ID"], os.environ["SIGNALWIRE_API_TOKEN"])
        self._attempts = attempts
        self._sleep = sleep

    def send(self, sender: str, recipient: str, body: str, **more: Any) -> str:
        """Send, and return the message's id. `more`: `media`, `status_callback`. Raises RefusedError, or OSError.

        Waits 1, 2, 4 s after 429, 5xx and connections that fail. A request that timed out may have been carried out:
        it is not repeated.
        """
        message = {"from": sender, "to": recipient, "body": body, **more}
        for attempt in range(self._attempts):
            is_last = attempt == self._attempts - 1
            try:
                answer = self._http.post(self._url, json=message, timeout=10)
            except requests.ConnectionError:
                if is_last:
                    raise
            else:
                if answer.status_code == 201:
                    return str(answer.json()["id"])
                if is_last or not (answer.status_code == 429 or answer.status_code >= 500):
                    raise _refused(answer)
            self._sleep(2.0**attempt)
        raise AssertionError("the last attempt returns or raises")


def _refused(answer: requests.Response) -> RefusedError:
    try:
        first = answer.json()["errors"][0]
        return RefusedError(first["code"], first["message"])
    except (ValueError, LookupError):
        return RefusedError(str(answer.status_code), answer.reason)
