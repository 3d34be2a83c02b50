"""A running server as the other commands see it: its HTTP API, by the standard library, which is loaded soonest."""

import json
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import SplitResult, urlencode, urlsplit

import click

from parley.cli.credentials import Credentials

_TIMEOUT_S: Final = 30.0
_PIECE: Final = 64 * 1024
_MOST: Final = "1000"
"""Items of a page, at most."""


class Refusal(click.ClickException):
    """The server said no; `code` is the dialect's own, where it has one. click prints the message and exits with 1."""

    def __init__(self, status: int, code: int | str | None, message: str, again_s: int | None = None) -> None:
        super().__init__(f"{message} (code {code}, HTTP {status})" if code else f"{message} (HTTP {status})")
        self.status = status
        self.code = code
        self.again_s = again_s
        """In how many seconds the server wants to be asked again, where it says so."""


class Unreachable(click.ClickException):
    """Nothing answered."""


class Server:
    """One account's view of a running server."""

    def __init__(self, credentials: Credentials) -> None:
        self.url = credentials.url.rstrip("/")
        self.account = f"/2010-04-01/Accounts/{credentials.account_sid}"
        """Where Twilio's resources of the account begin."""
        userpass = f"{credentials.account_sid}:{credentials.auth_token}".encode()
        self._authorization = f"Basic {b64encode(userpass).decode()}"
        self._parts = split(self.url)
        self._ca_file = credentials.ca_file

    def get(self, path: str, query: Mapping[str, str] | None = None, wait_s: float = 0) -> dict[str, Any]:
        """Read. `wait_s` is how long the server was asked to wait before it answers."""
        return self._call("GET", f"{path}?{urlencode(query)}" if query else path, None, None, _TIMEOUT_S + wait_s)

    def listed(self, path: str, key: str, query: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """Every item of one of Twilio's lists, which are paged; `key` is the list's name in its answers."""
        answer = self.get(f"{self.account}/{path}.json", {"PageSize": _MOST, **(query or {})})
        while True:
            yield from answer[key]
            if not answer.get("next_page_uri"):
                return
            answer = self.get(str(answer["next_page_uri"]))

    def post_form(self, path: str, fields: Mapping[str, str | list[str]]) -> dict[str, Any]:
        """Send a form, as Twilio's API takes it."""
        body = urlencode(fields, doseq=True).encode("utf-8", "surrogateescape")
        return self._call("POST", path, body, "application/x-www-form-urlencoded")

    def post(self, path: str, body: bytes, kind: str) -> dict[str, Any]:
        """Send a body of a media type."""
        return self._call("POST", path, body, kind)

    def copy(self, path: str, query: Mapping[str, str], to: IO[bytes]) -> None:
        """Write what the server has to a file, as it comes."""
        self._call("GET", f"{path}?{urlencode(query)}", to=to)

    def put_json(self, path: str, value: Mapping[str, Any]) -> dict[str, Any]:
        """Send JSON, as SignalWire's API takes it."""
        return self._call("PUT", path, json.dumps(value).encode(), "application/json")

    def delete(self, path: str) -> None:
        """Delete."""
        self._call("DELETE", path)

    def _call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        kind: str | None = None,
        timeout_s: float = _TIMEOUT_S,
        to: IO[bytes] | None = None,
    ) -> dict[str, Any]:
        connection = connection_to(self._parts, timeout_s, self._ca_file)
        headers = {"Authorization": self._authorization, "Accept": "application/json"}
        if kind is not None:
            headers["Content-Type"] = kind
        try:
            connection.request(method, self._parts.path.rstrip("/") + path, body, headers)
            answer = connection.getresponse()
            status = answer.status
            if to is not None and status < 300:
                _pour(answer, to)
            text = answer.read()
        except (OSError, HTTPException) as problem:
            raise Unreachable(
                f"No server answers at {self.url} ({str(problem) or type(problem).__name__})."
                " Start one with `make serve`, or say where it is with --url."
            ) from None
        finally:
            connection.close()
        told = _decoded(text)
        if status >= 300:
            raise _refusal(status, told, answer.headers.get("Retry-After", ""))
        return told


def connection_to(server: SplitResult, timeout_s: float, ca_file: str | None) -> HTTPConnection:
    """A connection to be, by TLS where the URL says so. `ca_file` is trusted besides what this machine trusts."""
    host = server.hostname or ""
    context = trusting(server, ca_file)
    if context is None:
        return HTTPConnection(host, server.port, timeout=timeout_s)
    return HTTPSConnection(host, server.port, timeout=timeout_s, context=context)


def trusting(server: SplitResult, ca_file: str | None) -> ssl.SSLContext | None:
    """How a server is spoken to by TLS; None where its URL says otherwise."""
    if server.scheme != "https":
        return None
    context = ssl.create_default_context()
    if ca_file is not None and Path(ca_file).exists():
        context.load_verify_locations(ca_file)
    return context


def split(url: str) -> SplitResult:
    """The parts of a server's URL. Raises ClickException when it is none."""
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise click.ClickException(f"{url!r} is not the URL of a server, such as http://127.0.0.1:8080")


def _pour(answer: HTTPResponse, to: IO[bytes]) -> None:
    """Write an answer to a file as it comes. Raises ClickException where the file does not take it."""
    while piece := answer.read(_PIECE):
        try:
            to.write(piece)
            to.flush()
        except OSError as problem:
            raise click.ClickException(f"The output cannot be written: {problem.strerror}.") from None


def _decoded(text: bytes) -> dict[str, Any]:
    try:
        told = json.loads(text) if text else {}
    except ValueError:
        told = {"message": text.decode("utf-8", "replace").strip()[:200]}
    return told if isinstance(told, dict) else {"answer": told}


def _refusal(status: int, told: Mapping[str, Any], retry_after: str) -> Refusal:
    """Either dialect's error: Twilio's code and message, or the first of SignalWire's list."""
    errors = told.get("errors")
    said = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else told
    message = said.get("message") or said.get("detail") or said.get("error") or "The server refused the request"
    again_s = int(retry_after) if retry_after.isdecimal() else None
    return Refusal(status, said.get("code"), str(message), again_s)
