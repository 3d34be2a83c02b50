"""What the examples need: credentials in the environment, phones to write to, and a web server for their handlers."""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import requests

from tests.server import Server

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


class Phones:
    """The phones that the server simulates."""

    def __init__(self, server: Server) -> None:
        self._url = f"{server.base_url}/simulator/phones"
        self._http = requests.Session()
        self._http.auth = server.auth

    def close(self) -> None:
        self._http.close()

    def arrived(self, phone: str, contains: str = "") -> dict[str, Any]:
        """The newest message on a phone that contains a text, once there is one."""
        query = {"wait": "30", "contains": contains}
        messages: list[dict[str, Any]] = self._ask("GET", f"/{phone}/messages", params=query)["messages"]
        assert messages, f"nothing with {contains!r} came to {phone}"
        return messages[0]

    def says(self, phone: str, to: str, body: str, *media: dict[str, str]) -> str:
        """A phone writes to a number; the message's SID."""
        sent = self._ask("POST", f"/{phone}/messages", json={"to": to, "body": body, "media": media})
        return f"{'MM' if media else 'SM'}{sent['message_id'].replace('-', '')}"

    def talk(self, phone: str, to: str, body: str, answer: str) -> dict[str, Any]:
        """A phone writes to a number, and gets an answer that contains a text."""
        self.says(phone, to, body)
        return self.arrived(phone, answer)

    def behaves(self, phone: str, **behaviour: Any) -> None:
        """From now on a phone behaves so."""
        self._ask("PUT", f"/{phone}", json=behaviour)

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        answer = self._http.request(method, self._url + path, timeout=60, **options)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture(scope="module")
def phones(server: Server) -> Iterator[Phones]:
    phones = Phones(server)
    yield phones
    phones.close()


@pytest.fixture(autouse=True)
def _environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_URL", server.base_url)
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", server.account_sid)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", server.auth_token)


def load(path: str) -> ModuleType:
    """An example as a module, by its path below `examples`; what it imports of its neighbours is found."""
    file = EXAMPLES / path
    name = f"examples.{path.removesuffix('.py').replace('/', '.')}"
    if name not in sys.modules:
        spec = spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = module_from_spec(spec)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(EXAMPLES / "clients"))
            patch.syspath_prepend(str(file.parent))
            spec.loader.exec_module(module)
    return sys.modules[name]


Serve = Callable[[Mapping[str, Any]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves handlers by path, as examples/twilio/webhooks.py does, until the test ends; returns the origin."""
    with ExitStack() as stack:

        def start(handlers: Mapping[str, Any]) -> str:
            server = load("twilio/webhooks.py").server(handlers, 0)
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_address[1]}"

        yield start
