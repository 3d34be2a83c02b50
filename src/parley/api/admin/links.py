"""Short links: the domains of an account's own that they stand on, and the links in a message with their clicks."""

import re
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from parley.api.admin.problems import checked
from parley.api.admin.times import iso
from parley.api.http.endpoint import NO_CONTENT, Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.http.products import DOMAIN as TWILIO
from parley.core.links import ShortLinks
from parley.lib import ids
from parley.model.link import Link, LinkDomain
from parley.model.resource import Resource

_LABEL: Final = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_DOMAIN: Final = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}", re.ASCII)
_MOST: Final = 253


class _Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    domain: str


class DomainsApi:
    """Handlers of /admin/domains. `public_url` is where the server itself is reached."""

    def __init__(self, links: ShortLinks, public_url: str) -> None:
        self._links = links
        self._own = {urlsplit(url).hostname for url in (public_url, links.origin)}

    async def list_domains(self, call: Call) -> Reply:
        """GET /admin/domains: the account's, the oldest first."""
        call.arguments().allow(frozenset())
        found = await self._links.domains.family(call.account.id)
        return json_reply(200, {"domains": [_domain(each) for each in found]})

    async def add(self, call: Call) -> Reply:
        """POST /admin/domains: `{"domain"}`. Requests for it have to reach this server by its owner's DNS."""
        call.arguments().allow(frozenset())
        domain = checked(call.json(), _Given).domain.lower().rstrip(".")
        if len(domain) > _MOST or not _DOMAIN.fullmatch(domain) or domain.rpartition(".")[2].isdigit():
            raise Fault("invalid_parameter", "domain must be the name of a host, such as go.example.com", "domain")
        # Twilio's clients may be led here by their hosts' names: one account's fallback must not answer all of them.
        if domain in self._own or f".{domain}".endswith(TWILIO):
            raise Fault("invalid_parameter", "domain must be another than the server's own", "domain")
        return json_reply(201, _domain(await self._links.add(call.account.id, domain)))

    async def drop(self, call: Call) -> Reply:
        """DELETE /admin/domains/{domain}: links go on to lead where they lead, and nobody is told of clicks."""
        call.arguments().allow(frozenset())
        domain_id = ids.parse_sid(call.path["domain"], ("DN",))
        if domain_id is None:
            raise Fault("not_found", "This is no domain's SID")
        await self._links.domains.drop(call.account.id, domain_id)
        return NO_CONTENT


def shown(short_url: str, link: Link) -> dict[str, Any]:
    """A link in a message."""
    return {
        "short_url": short_url,
        "url": link.url,
        "clicks": link.clicks,
        "last_click_at": iso(link.last_click_at),
        "expires_at": iso(link.expires_at),
    }


def _domain(domain: Resource[LinkDomain]) -> dict[str, Any]:
    return {
        "sid": ids.sid("DN", domain.id),
        "domain": domain.value.domain,
        "created_at": iso(domain.created_at),
    }
