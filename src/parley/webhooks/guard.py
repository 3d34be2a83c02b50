"""Which hosts an outgoing request may reach: refuses loopback, private and special-purpose networks, so that a URL
given by a client cannot make this server speak to its own neighbourhood (SSRF).
"""

import re
import socket
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

MAX_URL: Final = 4000
"""Longest URL taken, in characters; Twilio's limit for callbacks (error 21609)."""

_UNFIT = re.compile(r"[\x00-\x20\x7f\\]")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\.?\Z){_LABEL}(?:\.{_LABEL})*\.?")
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")
_LOCAL_NAMES: Final = frozenset({"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})

_Network = IPv4Network | IPv6Network


def _networks(*cidrs: str) -> tuple[_Network, ...]:
    return tuple(ip_network(cidr) for cidr in cidrs)


_LOOPBACK = _networks("127.0.0.0/8", "::1/128")
_PRIVATE = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
# Addresses where clouds hand out credentials. Some lie in private or even public ranges, so no setting opens them.
_METADATA = _networks("169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32", "fd00:ec2::254/128")
_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


class RefusedUrl(ValueError):
    """This URL is not requested; `reason` says why, without repeating the URL, which may carry a password."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OutOfBounds(RefusedUrl):
    """The URL is well made, but the profile does not reach the address of its host."""


class Guard:
    """The rule of one profile: dev allows loopback, strict allows public addresses only."""

    def __init__(self, *, allow_loopback: bool = False, allow_private: bool = False) -> None:
        self._allow_loopback = allow_loopback
        self._allow_private = allow_private
        # Callbacks go to the same few hosts: parsing an address anew costs as much as a third of a request.
        self._check_host = lru_cache(maxsize=1024)(self._judge_host)

    def check_url(self, url: str) -> URL:
        """The URL as it will be requested: an ASCII one to the letter, others percent-encoded, no fragment. RefusedUrl
        when it isn't an absolute http(s) URL or its host is plainly out of bounds; names are judged again by their
        addresses at connect.
        """
        if len(url) > MAX_URL:
            raise RefusedUrl(f"the URL is longer than {MAX_URL} characters")
        if _UNFIT.search(url):
            raise RefusedUrl("the URL contains a space, a control character or a backslash")
        try:
            bare = url.partition("#")[0]
            # Quoting anew would turn %7E into ~, and the receiver's signature check would see another URL.
            parsed = URL(bare, encoded=bare.isascii())
            scheme, host, port = parsed.scheme, parsed.raw_host, parsed.port
        except (ValueError, IndexError):  # yarl trips over http://[]@/ with the latter
            raise RefusedUrl("the URL is malformed") from None
        if scheme not in {"http", "https"}:
            raise RefusedUrl("the URL's scheme is not http or https")
        if not host:
            raise RefusedUrl("the URL has no host")
        if port == 0:
            raise RefusedUrl("the URL's port is 0")
        self._check_host(host.lower())
        return parsed

    def check_ip(self, ip: str | IPv4Address | IPv6Address) -> None:
        """RefusedUrl unless this address may be reached; addresses embedded in IPv6 are judged too."""
        try:
            address = ip_address(ip)
        except ValueError:
            raise RefusedUrl("the host's address is malformed") from None
        if isinstance(address, IPv6Address):
            if address.scope_id is not None:
                raise RefusedUrl("the host's address names a network interface")
            for inner in _embedded(address):
                self.check_ip(inner)
            if address.ipv4_mapped is not None or address in _NAT64:
                return  # nothing but another spelling of the address inside
        if _is_in(address, _METADATA):
            raise OutOfBounds("the host is a link-local or cloud metadata address")
        if _is_in(address, _LOOPBACK):
            if not self._allow_loopback:
                raise OutOfBounds("the host is this machine (loopback)")
        elif _is_in(address, _PRIVATE):
            if not self._allow_private:
                raise OutOfBounds("the host is in a private network")
        elif not address.is_global or address.is_multicast or (address.version == 6 and address not in _UNICAST):
            raise OutOfBounds("the host's address is not a public one")

    def _judge_host(self, host: str) -> None:
        if ":" in host:
            self.check_ip(host)
            return
        if not _HOST.fullmatch(host):
            raise RefusedUrl("the URL's host is malformed")
        name = host.removesuffix(".")
        if _NUMERIC.fullmatch(name.rpartition(".")[2]):
            # inet_aton also reads 127.1, 0x7f000001, 0177.0.0.1 and 2130706433. Nobody needs these but to hide.
            try:
                address = IPv4Address(host)
            except ValueError:
                raise RefusedUrl("the host is an IP address in an unusual spelling") from None
            self.check_ip(address)
        elif (name in _LOCAL_NAMES or name.endswith(".localhost")) and not self._allow_loopback:
            raise OutOfBounds("the host is this machine (loopback)")


class GuardedResolver(AbstractResolver):
    """Resolves names and hands on only addresses the guard allows. The connector connects to exactly these, so a name
    cannot point elsewhere between the check and the connection. aiohttp asks no resolver about literal addresses:
    those are for `Guard.check_url`, on every hop.
    """

    def __init__(self, guard: Guard, inner: AbstractResolver) -> None:
        self._guard = guard
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Addresses of a host; RefusedUrl when it has some and none is allowed, OSError when it has none."""
        found = await self._inner.resolve(host, port, family)
        allowed: list[ResolveResult] = []
        refusal: RefusedUrl | None = None
        for result in found:
            try:
                self._guard.check_ip(result["host"])
            except RefusedUrl as refused:
                refusal = refused
            else:
                allowed.append(result)
        if allowed:
            return allowed
        raise refusal or OSError("the host has no address")

    async def close(self) -> None:
        """Close the resolver underneath."""
        await self._inner.close()


def _is_in(address: IPv4Address | IPv6Address, networks: tuple[_Network, ...]) -> bool:
    return any(address in network for network in networks)


def _embedded(address: IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that a translator or tunnel would turn this IPv6 address into (RFC 6052, 3056, 4380, 5214)."""
    low = int(address) & 0xFFFFFFFF
    found = [inner for inner in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())) if inner is not None]
    if address in _NAT64:
        found.append(IPv4Address(low))
    if (int(address) >> 32) & 0xFCFFFFFF == 0x00005EFE:  # ISATAP, with the u and g bits either way
        found.append(IPv4Address(low))
    return found
