import socket

import pytest
import requests
from aiohttp.abc import AbstractResolver, ResolveResult

from parley.webhooks.guard import Guard, GuardedResolver, RefusedUrl
from tests.server import serve

STRICT = Guard()
DEV = Guard(allow_loopback=True)
LAN = Guard(allow_loopback=True, allow_private=True)

PUBLIC = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
LOOPBACK = ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"]
PRIVATE = ["10.0.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "fd12:3456::1", "::ffff:10.0.0.1"]
TUNNELED_PRIVATE = ["64:ff9b::a00:1", "2002:c0a8:101::1", "2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:a00:1"]
NEVER = [
    "0.0.0.0", "0.1.2.3", "::", "169.254.169.254", "169.254.0.1", "fe80::1", "::ffff:169.254.169.254",
    "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "224.0.0.1",
    "239.255.255.255", "ff02::1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "2001:db8::1",
    "::7f00:1", "64:ff9b:1::7f00:1", "fec0::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "fe80::1%eth0", "1.2.3", "",
]  # fmt: skip


def is_allowed(guard: Guard, ip: str) -> bool:
    try:
        guard.check_ip(ip)
    except RefusedUrl:
        return False
    return True


@pytest.mark.parametrize(
    ("ips", "strict", "dev", "lan"),
    [
        (PUBLIC, True, True, True),
        (LOOPBACK, False, True, True),
        (PRIVATE, False, False, True),
        (TUNNELED_PRIVATE, False, False, True),
        (NEVER, False, False, False),
    ],
)
def test_addresses(ips: list[str], strict: bool, dev: bool, lan: bool) -> None:
    for ip in ips:
        assert is_allowed(STRICT, ip) is strict, ip
        assert is_allowed(DEV, ip) is dev, ip
        assert is_allowed(LAN, ip) is lan, ip


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://127.0.0.1:8080/x", "http://u:p@127.0.0.1/", "http://127。0。0。1/", "http://１２７.0.0.1/",
        "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[::FFFF:7F00:1]/", "http://localhost/", "http://LOCALHOST./",
        "http://app.localhost/", "http://ⓛocalhost/", "http://ip6-localhost/", "http://localhost.localdomain/",
    ],
)  # fmt: skip
def test_this_machine_is_for_dev_only(url: str) -> None:
    with pytest.raises(RefusedUrl):
        STRICT.check_url(url)
    DEV.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        # other spellings of loopback, private and metadata addresses
        "http://2130706433/", "http://127.1/", "http://0x7f000001/", "http://0x7f.1/", "http://0177.0.0.1/",
        "http://127.0.0.1./", "http://017700000001/", "http://0X7F.0.0.1/", "http://127.0.0.01/", "http://0/",
        "http://0x/", "http://1.2.3.4.5/", "http://2852039166/", "http://%31%32%37.0.0.1/", "http://[fe80::1%25eth0]/",
        "http://[::1%lo]/", "http://169.254.169.254/",
        # not URLs to fetch
        "", "x", "//example.com/", "/path", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/",
        "javascript:x", "http:", "http:///x", "http://:80/", "http://[::1/", "http://[1.2.3.4]/",
        "http://example.com:0/", "http://example.com:99999/", "http://example.com:x/", "http://exa mple.com/",
        "http://example.com/\r\nX: y", "http://example.com/\x00", "http://example.com\\@127.0.0.1/",
        "http://ex%00ample.com/", "http://a..b/", "http://-a.com/", "http://" + "a" * 64 + ".com/",
        "http://" + "a." * 130 + "com/", "http://example.com/" + "a" * 4000, "http://exämple\x85.com/",
        "http://\ud800/", "http://[]@", "http://[]@ä/",
    ],
)  # fmt: skip
def test_refused_in_every_profile(url: str) -> None:
    with pytest.raises(RefusedUrl) as caught:
        LAN.check_url(url)
    assert len(caught.value.reason) < 80


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://example.com/a%7Eb?x=%2f+&y#rc=2", "https://example.com/a%7Eb?x=%2f+&y"),
        ("http://user:p%40ss@example.com:8080/", "http://user:p%40ss@example.com:8080/"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("http://under_score.example.com./", "http://under_score.example.com./"),
        ("http://[2606:4700:4700::1111]/", "http://[2606:4700:4700::1111]/"),
    ],
)
def test_public_urls_go_out_as_written(url: str, sent: str) -> None:
    assert str(STRICT.check_url(url)) == sent


class Names(AbstractResolver):
    def __init__(self, *ips: str) -> None:
        self.ips = ips
        self.is_closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host=ip, port=port, family=2, proto=0, flags=0) for ip in self.ips]

    async def close(self) -> None:
        self.is_closed = True


async def test_names_are_judged_by_their_addresses() -> None:
    assert [found["host"] for found in await GuardedResolver(STRICT, Names(*PUBLIC)).resolve("e.com")] == PUBLIC
    mixed = await GuardedResolver(STRICT, Names("10.0.0.1", "93.184.216.34", "::1")).resolve("e.com")
    assert [found["host"] for found in mixed] == ["93.184.216.34"]
    with pytest.raises(RefusedUrl):
        await GuardedResolver(STRICT, Names("169.254.169.254", "::1")).resolve("metadata.internal")
    with pytest.raises(OSError, match="no address"):
        await GuardedResolver(STRICT, Names()).resolve("e.com")


async def test_closing_closes_the_resolver_underneath() -> None:
    names = Names()
    await GuardedResolver(STRICT, names).close()
    assert names.is_closed


@pytest.mark.parametrize("is_open", [False, True])
def test_private_networks_are_open_where_the_settings_say_so(sqlite_store_url: str, is_open: bool) -> None:
    with serve(sqlite_store_url, profile="strict", private_networks=is_open) as server:
        path = f"{server.base_url}/2010-04-01/Accounts/{server.account_sid}/Applications.json"
        made = [
            requests.post(path, {"FriendlyName": "App", "SmsUrl": url}, auth=server.auth, timeout=30).status_code
            for url in ("http://10.1.2.3/sms", "http://169.254.169.254/sms", "http://127.0.0.1/sms")
        ]
    assert made == [201 if is_open else 400, 400, 400]
