"""The paths of Parley's own surface: the simulator's control API, the record of messages, and health."""

from typing import Final

from starlette.routing import Route

from parley.api.admin import inbound
from parley.api.admin.account import AccountApi
from parley.api.admin.allowance import AllowanceApi
from parley.api.admin.callbacks import CallbacksApi
from parley.api.admin.events import EventsApi
from parley.api.admin.health import Health, Open
from parley.api.admin.links import DomainsApi
from parley.api.admin.messages import RecordApi
from parley.api.admin.openapi.document import PATH, Description
from parley.api.admin.problems import explain
from parley.api.admin.quiet_hours import QuietHoursApi
from parley.api.admin.reviewers import ReviewersApi
from parley.api.admin.simulator import SimulatorApi
from parley.api.http.credentials import Credentials
from parley.api.http.endpoint import PATIENCE_S, Endpoint, Handler

_SMALL: Final = 64 * 1024
"""Octets of a request that carries no media."""


def routes(
    credentials: Credentials,
    simulator: SimulatorApi,
    reviewers: ReviewersApi,
    record: RecordApi,
    events: EventsApi,
    callbacks: CallbacksApi,
    account: AccountApi,
    quiet_hours: QuietHoursApi,
    allowance: AllowanceApi,
    domains: DomainsApi,
    health: Health,
    description: Description,
) -> list[Route]:
    """Every route, one a path and method."""

    def at(
        method: str, path: str, handler: Handler, max_body: int = _SMALL, patience_s: float | None = PATIENCE_S
    ) -> Route:
        return Route(path, Endpoint(handler, credentials, explain, max_body, patience_s), methods=[method])

    phone = "/simulator/phones/{phone}"
    return [
        Route("/healthz", Open(health.live), methods=["GET"]),
        Route("/readyz", Open(health.ready), methods=["GET"]),
        Route("/metrics", Open(health.metrics), methods=["GET"]),
        Route(PATH, Open(description.show), methods=["GET"]),
        at("DELETE", "/simulator", simulator.forget),
        at("GET", "/simulator/faults", simulator.show_faults),
        at("PUT", "/simulator/faults", simulator.disturb),
        at("GET", "/simulator/reviewers", reviewers.show),
        at("PUT", "/simulator/reviewers", reviewers.tell),
        at("GET", "/simulator/phones", simulator.list_phones),
        at("GET", phone, simulator.show),
        at("PUT", phone, simulator.tell),
        at("GET", f"{phone}/messages", simulator.list_messages, patience_s=None),
        at("POST", f"{phone}/messages", simulator.send, inbound.MAX_BODY, patience_s=None),
        at("GET", f"{phone}/messages/{{message}}/media/{{position}}", simulator.fetch_media),
        at("POST", f"{phone}/receipts", simulator.force_receipt),
        at("GET", "/admin/messages/{message}", record.show),
        at("GET", "/admin/messages/{message}/links", record.show_links),
        at("POST", "/admin/messages/{message}/callbacks/replay", callbacks.replay_message),
        at("GET", "/admin/callbacks", callbacks.list_callbacks),
        at("POST", "/admin/callbacks/{callback}/replay", callbacks.replay),
        at("GET", "/admin/hosts", callbacks.list_hosts),
        at("GET", "/admin/events", events.feed, patience_s=None),
        at("GET", "/admin/orphans", events.list_orphans),
        at("GET", "/admin/account", account.show),
        at("PUT", "/admin/account", account.change),
        at("POST", "/admin/account/token", account.rotate),
        at("GET", "/admin/services/{service}/quiet_hours", quiet_hours.show),
        at("PUT", "/admin/services/{service}/quiet_hours", quiet_hours.put),
        at("DELETE", "/admin/services/{service}/quiet_hours", quiet_hours.drop),
        at("GET", "/admin/allowance", allowance.show),
        at("PUT", "/admin/allowance", allowance.change),
        at("POST", "/admin/allowance/top_up", allowance.top_up),
        at("GET", "/admin/domains", domains.list_domains),
        at("POST", "/admin/domains", domains.add),
        at("DELETE", "/admin/domains/{domain}", domains.drop),
        at("GET", "/admin/keys", account.list_keys),
        at("POST", "/admin/keys", account.add_key),
        at("DELETE", "/admin/keys/{key}", account.drop_key),
    ]
