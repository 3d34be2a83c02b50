import asyncio
import json
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from parley.webhooks.client import Answer, Client, FetchFailed, Request
from parley.webhooks.guard import Guard
from parley.webhooks.lanes import Lanes
from parley.webhooks.lookups import Found, Lookups

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    server = TestServer(app, scheme="https" if tls else "http")
    await server.start_server(ssl=tls)
    try:
        yield str(server.make_url("/"))
    finally:
        await server.close()


@asynccontextmanager
async def raw_serving(answer: bytes) -> AsyncIterator[str]:
    """A server that says these bytes to whoever asks, and hangs up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    made = Client(Guard(allow_loopback=True), user_agent="Parley/test")
    yield made
    await made.aclose()


async def failing(client: Client, request: Request) -> FetchFailed:
    with pytest.raises(FetchFailed) as caught:
        await client.fetch(request)
    return caught.value


async def echo(request: web.Request) -> web.Response:
    seen = {name.lower(): value for name, value in request.headers.items()}
    body = (await request.read()).decode()
    return web.json_response({"method": request.method, "path": request.raw_path, "headers": seen, "body": body})


async def test_what_is_sent(client: Client) -> None:
    async with serving(echo) as base:
        answer = await client.fetch(
            Request(
                method="POST",
                url=f"{base}sms%7E?x=%2f#rc=2",
                headers={"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": "abc="},
                body=b"Body=hi",
                cookies={"session": "1", "bad": "a;b\r\nX: y", "also": '"2"', "ok": "a=b"},
            )
        )
    assert answer.is_ok
    seen = json.loads(answer.body)
    headers = seen["headers"]
    assert (seen["method"], seen["path"], seen["body"]) == ("POST", "/sms%7E?x=%2f", "Body=hi")
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["x-twilio-signature"] == "abc="
    assert headers["user-agent"] == "Parley/test"
    assert headers["cookie"] == "session=1; ok=a=b"
    assert headers["content-length"] == "7"
    assert "accept-encoding" not in headers


async def test_userinfo_becomes_basic_auth(client: Client) -> None:
    async with serving(echo) as base:
        answer = await client.fetch(Request(method="GET", url=base.replace("//", "//user:p%40ss@")))
    assert b"Basic dXNlcjpwQHNz" in answer.body


async def test_any_status_is_an_answer(client: Client) -> None:
    async def handler(request: web.Request) -> web.Response:
        answer = web.Response(status=503, text="busy", headers={"X-A": "1", "Retry-After": "3"})
        answer.headers.add("X-A", "2")
        answer.set_cookie("a", "1")
        answer.set_cookie("b", "2")
        return answer

    async with serving(handler) as base:
        answer = await client.fetch(Request(method="GET", url=base))
    assert (answer.status, answer.is_ok, answer.body, answer.url) == (503, False, b"busy", base)
    assert answer.headers["x-a"] == "1, 2"
    assert answer.headers["retry-after"] == "3"
    assert answer.set_cookies == ("a=1; Path=/", "b=2; Path=/")


@pytest.mark.parametrize(
    ("size", "is_truncated"), [(0, False), (99, False), (100, False), (101, True), (500_000, True)]
)
async def test_the_body_is_capped(client: Client, size: int, is_truncated: bool) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * size)

    async with serving(handler) as base:
        for _ in range(2):  # the connection is sound after a truncated answer, or a new one is made
            answer = await client.fetch(Request(method="GET", url=base, max_bytes=100))
            assert answer.body == b"x" * min(size, 100)
            assert answer.is_truncated is is_truncated


async def test_connections_are_kept(client: Client) -> None:
    ports = set()

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        ports.add(request.transport.get_extra_info("peername")[1])
        return web.Response()

    async with serving(handler) as base:
        for _ in range(5):
            await client.fetch(Request(method="POST", url=base, body=b"a"))
    assert len(ports) == 1


# ---------------------------------------------------------------- redirects


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (302, "HEAD", "HEAD"),
        (303, "GET", "GET"),
    ],
)
async def test_redirects(client: Client, status: int, method: str, then: str) -> None:
    seen: list[tuple[str, str, bytes, str | None, str | None]] = []

    async def handler(request: web.Request) -> web.Response:
        headers = request.headers
        body = await request.read()
        seen.append((request.method, request.path, body, headers.get("Content-Type"), headers.get("Cookie")))
        return web.Response(status=status, headers={"Location": "b?x=1"}) if request.path == "/a" else web.Response()

    async with serving(handler) as base:
        body = b"x" if method == "POST" else None
        kind = {"Content-Type": "text/x"} if body else {}
        answer = await client.fetch(Request(method=method, url=f"{base}a", body=body, headers=kind, cookies={"c": "1"}))
    assert answer.url == f"{base}b?x=1"
    kept = (b"x", "text/x") if then == "POST" else (b"", None)
    assert seen[1] == (then, "/b", *kept, "c=1")


async def test_credentials_stay_with_their_origin(client: Client) -> None:
    async with serving(echo) as other:

        async def handler(request: web.Request) -> web.Response:
            return web.Response(status=307, headers={"Location": other})

        async with serving(handler) as base:
            answer = await client.fetch(
                Request(method="GET", url=base, headers={"Authorization": "Basic eA=="}, cookies={"c": "1"})
            )
    assert b"uthorization" not in answer.body
    assert b"ookie" not in answer.body


async def test_a_redirect_without_a_target_is_an_answer(client: Client) -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=302)

    async with serving(handler) as base:
        assert (await client.fetch(Request(method="GET", url=base))).status == 302


async def test_too_many_redirects(client: Client) -> None:
    count = 0

    async def handler(request: web.Request) -> web.Response:
        nonlocal count
        count += 1
        return web.Response(status=302, headers={"Location": "/"})

    async with serving(handler) as base:
        failure = await failing(client, Request(method="GET", url=base, max_redirects=3))
    assert (failure.code, failure.phase, count) == (11215, "redirect", 4)


@pytest.mark.parametrize(
    "target",
    ["http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "file:///etc/passwd", "http://[::", "http://\xff"],
)
async def test_every_hop_is_guarded(client: Client, target: str) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: " + target.encode("latin-1") + b"\r\nContent-Length: 0\r\n\r\n"
    async with raw_serving(answer) as base:
        failure = await failing(client, Request(method="GET", url=base))
    assert (failure.code, failure.phase) == (11321, "redirect")


# ---------------------------------------------------------------- failures


async def test_the_guard_refuses_before_anything_is_sent() -> None:
    reached = False

    async def handler(request: web.Request) -> web.Response:
        nonlocal reached
        reached = True
        return web.Response()

    strict = Client(Guard(), user_agent="Parley/test")
    async with serving(handler) as base:
        for url in (base, base.replace("127.0.0.1", "localhost"), "http://[::1]/", "nonsense"):
            failure = await failing(strict, Request(method="GET", url=url))
            assert (failure.code, failure.phase) == (11321, "refused")
    await strict.aclose()
    assert not reached


async def test_names_that_resolve_inwards_are_refused() -> None:
    inwards = Lookups(lambda *_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))])
    strict = Client(Guard(), user_agent="Parley/test", lookups=inwards)
    failure = await failing(strict, Request(method="GET", url="http://rebound.example.com/"))
    await strict.aclose()
    assert (failure.code, failure.phase) == (11321, "refused")


async def test_no_such_name() -> None:
    def ask(host: str, port: int, family: int) -> Found:
        raise OSError(-2, "Name or service not known")

    client = Client(Guard(), user_agent="Parley/test", lookups=Lookups(ask))
    failure = await failing(client, Request(method="GET", url="http://nowhere.example.com/"))
    await client.aclose()
    assert (failure.code, failure.phase) == (11210, "connect")


async def test_connection_refused(client: Client) -> None:
    failure = await failing(
        client, Request(method="POST", url=f"http://user:secret@127.0.0.1:{unused_port()}/?t=secret")
    )
    assert (failure.code, failure.phase) == (11205, "connect")
    assert "secret" not in f"{failure!r} {failure}"


async def test_no_answer_in_time(client: Client) -> None:
    never = asyncio.Event()

    async def handler(request: web.Request) -> web.Response:
        await never.wait()
        return web.Response()

    async with serving(handler) as base:
        slow = await failing(client, Request(method="GET", url=base, read_s=0.01))
        late = await failing(client, Request(method="GET", url=base, total_s=0.01))
        never.set()
    assert (slow.code, slow.phase) == (11200, "read")
    assert (late.code, late.phase) == (11200, "read")


async def test_no_connection_in_time() -> None:
    end = threading.Event()

    def ask(host: str, port: int, family: int) -> Found:
        end.wait()
        return []

    client = Client(Guard(), user_agent="Parley/test", lookups=Lookups(ask))
    failure = await failing(client, Request(method="GET", url="http://example.com/", connect_s=0.01))
    end.set()
    await client.aclose()
    assert (failure.code, failure.phase, failure.is_ours) == (11205, "connect", False)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", 11200),
        (b"SSH-2.0-OpenSSH_9.6\r\n", 11206),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", 11200),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nnogzp", 11200),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", 11206),
    ],
)
async def test_broken_answers(client: Client, answer: bytes, code: int) -> None:
    async with raw_serving(answer) as base:
        failure = await failing(client, Request(method="POST", url=base, body=b"x"))
    assert (failure.code, failure.phase) == (code, "read")


async def test_headers_cannot_be_smuggled(client: Client) -> None:
    async with serving(echo) as base:
        failure = await failing(client, Request(method="GET", url=base, headers={"X": "a\r\nY: b"}))
    assert (failure.code, failure.phase) == (11321, "refused")


def certificate(host: str, year: int, directory: Path) -> ssl.SSLContext:
    """A server's TLS context with a certificate signed by nobody."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(year, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = directory / "server.pem"
    pem.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.mark.parametrize(
    ("host", "year", "is_trusted", "code"),
    [
        ("127.0.0.1", 2200, True, None),
        ("127.0.0.1", 2200, False, 11237),
        ("127.0.0.2", 2200, True, 11235),
        ("127.0.0.1", 2021, True, 11236),
    ],
)
async def test_certificates(tmp_path: Path, host: str, year: int, is_trusted: bool, code: int | None) -> None:
    context = certificate(host, year, tmp_path)
    trust = ssl.create_default_context(cafile=str(tmp_path / "server.pem")) if is_trusted else None
    client = Client(Guard(allow_loopback=True), user_agent="Parley/test", tls=trust)
    async with serving(echo, context) as base:
        request = Request(method="GET", url=base)
        if code is None:
            assert (await client.fetch(request)).is_ok
        else:
            failure = await failing(client, request)
            assert (failure.code, failure.phase) == (code, "connect")
    await client.aclose()


async def test_plain_http_where_tls_is_expected(client: Client) -> None:
    async with serving(echo) as base:
        failure = await failing(client, Request(method="GET", url=base.replace("http:", "https:")))
    assert (failure.code, failure.phase) == (11220, "connect")


async def test_a_closed_client_fails_in_its_own_words() -> None:
    client = Client(Guard(allow_loopback=True), user_agent="Parley/test")
    await client.aclose()
    assert (await failing(client, Request(method="GET", url="http://127.0.0.1:1/"))).code == 11200


def test_reprs_keep_secrets() -> None:
    request = Request(method="POST", url="https://u:secret@e.com/p?t=secret", headers={"A": "secret"}, body=b"secret")
    assert repr(request) == "Request(POST https://e.com/p)"
    answer = Answer(status=200, headers={}, set_cookies=("secret",), body=b"secret", url="https://e.com/?secret")
    assert repr(answer) == "Answer(200 from https://e.com/, 6 bytes)"


# ---------------------------------------------------------------- lanes


async def test_one_hosts_queue_does_not_hold_up_another() -> None:
    lanes = Lanes(per_host=2, overall=3)
    held: list[str] = []
    release = asyncio.Event()
    arrived = asyncio.Condition()

    async def exchange(host: str) -> None:
        place = await lanes.enter(host)
        async with arrived:
            held.append(host)
            arrived.notify_all()
        await release.wait()
        lanes.leave(host, place)

    tasks = [asyncio.create_task(exchange(host)) for host in ["slow"] * 5 + ["quick"]]
    async with arrived:
        await arrived.wait_for(lambda: len(held) == 3)
    assert held == ["slow", "slow", "quick"]
    release.set()
    await asyncio.gather(*tasks)
    assert held.count("slow") == 5
    assert len(lanes) == 0


async def test_a_cancelled_wait_gives_its_turn_back() -> None:
    lanes = Lanes(per_host=1, overall=1)
    place = await lanes.enter("a")
    waiting = asyncio.create_task(lanes.enter("a"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    lanes.leave("a", place)
    async with asyncio.timeout(5):
        place = await lanes.enter("a")
    lanes.leave("a", place)
    assert len(lanes) == 0
