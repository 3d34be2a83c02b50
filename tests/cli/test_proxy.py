"""Clients that know nothing of Parley, led to it by their environment alone."""

import asyncio
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from parley.cli import tunnels
from parley.cli.authority import Authority
from parley.cli.tunnels import Tunnels
from parley.lib.clock import SystemClock
from tests import npm
from tests.cli.process import PARLEY, environment, serving
from tests.clock import ManualClock
from tests.receiver import Receiver
from tests.server import Server

MANIFEST = Path(__file__).parents[1] / "api" / "twilio" / "node"
DAY_S = 86_400

PYTHON = """
from twilio.rest import Client
client = Client()
made = [client.messaging.v1.services.create(friendly_name=f"Service {n}") for n in range(3)]
page = client.messaging.v1.services.page(page_size=2)
assert next(page.next_page()).sid == made[0].sid
print(client.messages.create(from_="+15554010001", to="+15554010002", body="By the environment").sid)
"""
NODE = """
const client = require('twilio')();
(async () => {
  for (const friendlyName of ['One', 'Another']) await client.messaging.v1.services.create({ friendlyName });
  const page = await client.messaging.v1.services.page({ pageSize: 1 });
  if ((await page.nextPage()).instances.length !== 1) throw new Error('no next page');
  const sent = await client.messages.create({ from: '+15554010001', to: '+15554010003', body: 'By the environment' });
  console.log(sent.sid);
})();
"""


@contextmanager
def leading(directory: Path, *flags: str) -> Iterator[dict[str, str]]:
    """What a running proxy says of itself."""
    words = [str(PARLEY), "proxy", "--port", "0", *flags]
    process = subprocess.Popen(words, cwd=directory, env=environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        said = dict(next(process.stdout).split(":", 1) for _ in range(10))
        yield {name: value.strip() for name, value in said.items()}
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        process.stdout.close()


@pytest.fixture(scope="module")
def proxy(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    directory = tmp_path_factory.mktemp("proxy")
    with leading(directory, "--url", server.base_url, "--dir", str(directory)) as said:
        yield said


def variables(server: Server, line: str) -> dict[str, str]:
    """The variables that a line says, and the credentials."""
    named = dict(word.split("=", 1) for word in line.split())
    return named | {"TWILIO_ACCOUNT_SID": server.account_sid, "TWILIO_AUTH_TOKEN": server.auth_token}


def test_the_python_client_needs_its_environment_only(server: Server, proxy: dict[str, str]) -> None:
    env = environment(variables(server, proxy["Python"]))
    done = subprocess.run([sys.executable, "-c", PYTHON], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert arrived(server, "+15554010002") == ["By the environment"]


def test_the_node_client_needs_its_environment_only(server: Server, proxy: dict[str, str]) -> None:
    said = npm.run(npm.environment(MANIFEST, **variables(server, proxy["Node"])), "-e", NODE)
    assert said.startswith("SM")
    assert arrived(server, "+15554010003") == ["By the environment"]


def test_it_finds_a_dev_server_that_speaks_tls(tmp_path: Path) -> None:
    with serving(tmp_path, "--tls") as there, leading(tmp_path) as said:
        assert said["Leads to"] == there.url
        url = "https://api.twilio.com/readyz"
        answer = requests.get(url, proxies={"https": said["Proxy"]}, verify=said["Certificate"], timeout=30)
        assert answer.json()["status"] == "ready"


def test_what_it_says_leads_to_files(proxy: dict[str, str]) -> None:
    files = [Path(word.partition("=")[2]) for word in proxy["Java"].split() if "trustStore=" in word]
    files.append(Path(proxy["Certificate"]))
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
    assert {len(proxy[language]) > 60 for language in ("Ruby", "Go", "C#", "PHP")} == {True}


def arrived(server: Server, phone: str) -> list[str]:
    url = f"{server.base_url}/simulator/phones/{phone}/messages?wait=30"
    messages = requests.get(url, auth=server.auth, timeout=60).json()["messages"]
    return [message["body"] for message in messages]


class Proxy:
    """A proxy in this loop."""

    def __init__(self, port: int, refusals: list[str]) -> None:
        self.port = port
        self.refusals = refusals

    async def ask(self, request: bytes) -> bytes:
        """Send bytes, and read until the proxy closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            return await asyncio.wait_for(reader.read(), 30)
        finally:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def proxying(directory: Path, url: str, *, others: bool = False) -> AsyncIterator[Proxy]:
    listener = socket.create_server(("127.0.0.1", 0))
    refusals: list[str] = []
    authority = Authority.open(directory, "twilio.com", SystemClock())
    stop = asyncio.Event()
    proxy = Tunnels(authority, urlsplit(url), None, refusals.append, others=others)
    serving = asyncio.create_task(proxy.serve(listener, stop))
    try:
        yield Proxy(listener.getsockname()[1], refusals)
    finally:
        stop.set()
        await serving
        listener.close()


@pytest.mark.parametrize(
    ("request_", "status", "why"),
    [
        (b"CONNECT example.org:443 HTTP/1.1\r\n\r\n", 403, "example.org is not below twilio.com"),
        (b"CONNECT twilio.com.example.org:443 HTTP/1.1\r\n\r\n", 403, "is not below"),
        (b"CONNECT nottwilio.com:443 HTTP/1.1\r\n\r\n", 403, "is not below"),
        (b"CONNECT api.twilio.com:80 HTTP/1.1\r\n\r\n", 403, "on port 443 only"),
        (b"CONNECT api.twilio.com:443 HTTP/1.1\r\n\r\n", 502, "Nothing answers at 127.0.0.1, port 1"),
        (b"CONNECT api.twilio.com:99999 HTTP/1.1\r\n\r\n", 405, "CONNECT only"),
        (b"GET http://api.twilio.com/2010-04-01 HTTP/1.1\r\n\r\n", 405, "CONNECT only"),
        (b"\x16\x03\x01\r\n\r\n", 405, "CONNECT only"),
        (b"CONNECT api.twilio.com:443 HTTP/1.1\r\nX: " + b"x" * 20_000, 431, "too long"),
    ],
)
async def test_what_is_refused(tmp_path: Path, request_: bytes, status: int, why: str) -> None:
    async with proxying(tmp_path, "http://127.0.0.1:1") as proxy:
        head, _, body = (await proxy.ask(request_)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert why in body.decode()
        assert proxy.refusals == [body.decode().rstrip()]


async def test_other_hosts_pass_where_they_may(tmp_path: Path, receiver: Receiver) -> None:
    port = urlsplit(receiver.url).port
    async with proxying(tmp_path, "http://127.0.0.1:1", others=True) as proxy:
        asked = f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\nGET /through HTTP/1.1\r\nConnection: close\r\n\r\n"
        said = await proxy.ask(asked.encode())
    assert said.startswith(b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert receiver.requests[0].path == "/through"


async def test_no_more_connections_than_it_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnels, "MOST", 1)
    async with proxying(tmp_path, "http://127.0.0.1:1") as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert (await proxy.ask(b"")).startswith(b"HTTP/1.1 503 ")
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 405 ")
        writer.close()


async def test_an_idle_client_does_not_hold_up_the_end(tmp_path: Path, receiver: Receiver) -> None:
    async with proxying(tmp_path, receiver.url) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"CONNECT api.twilio.com:443 HTTP/1.1\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 200 Connection established\r\n\r\n"
    assert await reader.read() == b""
    writer.close()


def test_the_authority_stays_until_it_is_about_to_expire(tmp_path: Path) -> None:
    clock = ManualClock(SystemClock().now())
    first = Authority.open(tmp_path, "twilio.com", clock).certificate_file.read_bytes()
    clock.advance(330 * DAY_S)
    assert Authority.open(tmp_path, "twilio.com", clock).certificate_file.read_bytes() == first
    clock.advance(10 * DAY_S)
    assert Authority.open(tmp_path, "twilio.com", clock).certificate_file.read_bytes() != first
    assert (tmp_path / "twilio-ca-key.pem").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("host", "is_trusted"), [("api.dublin.ie1.twilio.com", True), ("example.org", False)])
def test_the_authority_is_trusted_for_its_domain_alone(tmp_path: Path, host: str, *, is_trusted: bool) -> None:
    authority = Authority.open(tmp_path, "twilio.com", SystemClock())
    client = ssl.create_default_context(cafile=authority.certificate_file)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    assert shakes_hands(client, authority.server_context(host), host) is is_trusted


def shakes_hands(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> bool:
    """Whether a client takes a server's certificate; they talk in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=host)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError:
                return False
    return True
