"""The paths of consent: who wants nothing more from whom, and the words of messaging services that say it."""

from typing import Final

from starlette.routing import Route

from parley.api.admin import consent_lines
from parley.api.admin.consents import ConsentsApi
from parley.api.admin.keywords import KeywordsApi
from parley.api.admin.problems import explain
from parley.api.http.credentials import Credentials
from parley.api.http.endpoint import Endpoint, Handler

_SMALL: Final = 256 * 1024
"""Octets of a service's keywords, and of all else but an import."""


def routes(credentials: Credentials, consents: ConsentsApi, keywords: KeywordsApi) -> list[Route]:
    """Every route, one a path and method."""

    def at(method: str, path: str, handler: Handler, max_body: int = _SMALL) -> Route:
        return Route(path, Endpoint(handler, credentials, explain, max_body), methods=[method])

    pair = "/admin/consents/{sender}/{recipient}"
    return [
        at("GET", "/admin/consents", consents.list_consents),
        at("POST", "/admin/consents/import", consents.take, consent_lines.MAX_BODY),
        at("GET", "/admin/consents/export", consents.give),
        at("GET", pair, consents.show),
        at("PUT", pair, consents.put),
        at("DELETE", pair, consents.drop),
        at("GET", "/admin/services/{service}/keywords", keywords.show),
        at("PUT", "/admin/services/{service}/keywords", keywords.put),
    ]
