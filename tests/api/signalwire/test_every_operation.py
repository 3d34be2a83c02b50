"""Every operation of the first two tiers answers plain HTTP as its table says."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.api.admin.client import Client as Record
from tests.api.signalwire.asked import BRAND, CAMPAIGN, GUIDE_BRAND, GUIDE_CAMPAIGN
from tests.api.signalwire.client import Client
from tests.api.signalwire.described import OPERATIONS, hold
from tests.server import Server, serve

COUNTS: Final = Path(__file__).parents[3] / "docs" / "compat" / "README.md"
REST: Final = "/api/relay/rest"
FABRIC: Final = "/api/fabric/resources"
HOOK: Final = "http://127.0.0.1:9/hook"
OURS: Final = "+15551234567"
PHONE: Final = "+15559500001"


class World:
    """A server's client, which holds each answer against its table, and notes the operations that answered."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client = Client(server)
        self.record = Record(server)
        self.answered: set[int] = set()
        self.number = self.ask("GET", f"{REST}/phone_numbers", params={"filter_number": OURS})["data"][0]

    def ask(self, method: str, path: str, **options: Any) -> Any:
        """Make a request that succeeds as its row says."""
        marked = "messaging_campaign_id" in options.get("json", ())
        rows = [
            (at, row)
            for at, row in enumerate(OPERATIONS)
            if row["method"] == method and _fits(row["path"], path) and marked == row["path"].endswith("_campaign_id")
        ]
        at, row = min(rows, key=lambda each: each[1]["path"].count("{"))
        if method == "DELETE":
            self.gone(path)
            body = None
        else:
            body = self.client.ask(method, path, int(row["status"]), **options)
        hold(row["answer"], body)
        self.answered.add(at)
        return body

    def gone(self, path: str) -> None:
        """Delete what is there, which then is not."""
        assert self.client.raw("DELETE", path).status_code == 204
        assert self.client.raw("DELETE", path).status_code == 404

    def pair(self, path: str, made: Any) -> None:
        """Fetch what was made, and find it in its list."""
        assert self.ask("GET", f"{path}/{made['id']}") == made
        assert made["id"] in [each["id"] for each in self.ask("GET", path)["data"]]


def _fits(template: str, path: str) -> bool:
    plain = template.partition(" ")[0]
    return re.fullmatch(re.sub(r"\\{id\\}", "[^/]+", re.escape(plain)), path) is not None


def messages(world: World) -> None:
    sent = world.ask("POST", "/api/messaging/messages", json={"from": OURS, "to": PHONE, "body": "Hello"})
    world.record.in_state(sent["id"], "delivered")
    assert world.ask("GET", f"/api/messaging/logs/{sent['id']}")["status"] == "delivered"
    assert sent["id"] in [log["id"] for log in world.ask("GET", "/api/messaging/logs")["data"]]
    assert sent["id"] in [each["id"] for each in world.ask("GET", "/api/messaging/messages")["data"]]
    assert world.ask("PATCH", f"/api/messaging/messages/{sent['id']}", json={"body": ""})["body"] == ""


def numbers(world: World) -> None:
    path = f"{REST}/phone_numbers"
    sale = world.ask("GET", f"{path}/search", params={"areacode": "415", "max_results": "2"})["data"]
    bought = world.ask("POST", path, json={"number": sale[0]["number"]})
    world.pair(path, bought)
    assert world.ask("PUT", f"{path}/{bought['id']}", json={"name": "Ours"})["name"] == "Ours"
    world.ask("DELETE", f"{path}/{bought['id']}")


def groups(world: World) -> None:
    path = f"{REST}/number_groups"
    group = world.ask("POST", path, json={"name": "Alerts", "sticky_sender": True})
    world.pair(path, group)
    members = f"{path}/{group['id']}/number_group_memberships"
    member = world.ask("POST", members, json={"phone_number_id": world.number["id"]})
    assert [each["id"] for each in world.ask("GET", members)["data"]] == [member["id"]]
    assert world.ask("GET", f"{REST}/number_group_memberships/{member['id']}") == member
    assert world.ask("GET", f"{path}/{group['id']}")["phone_number_count"] == 1
    world.ask("DELETE", f"{REST}/number_group_memberships/{member['id']}")
    assert world.ask("PUT", f"{path}/{group['id']}", json={"name": "Offers"})["sticky_sender"] is True
    world.ask("DELETE", f"{path}/{group['id']}")


def short_codes(world: World) -> None:
    path = f"{REST}/short_codes"
    world.client.send(**{"from": "24687", "to": PHONE})
    [code] = world.ask("GET", path, params={"filter_number": "24687"})["data"]
    world.pair(path, code)
    given = {"name": "Ours", "message_handler": "laml_webhooks", "message_request_url": HOOK}
    assert world.ask("PUT", f"{path}/{code['id']}", json=given)["message_request_url"] == HOOK


def registry(world: World) -> None:
    beta = f"{REST}/registry/beta"
    brand = world.ask("POST", f"{beta}/brands", json=BRAND)
    assert brand["id"] in [each["id"] for each in world.ask("GET", f"{beta}/brands")["data"]]
    assert world.ask("GET", f"{beta}/brands/{brand['id']}")["company_name"] == BRAND["company_name"]
    campaigns = f"{beta}/brands/{brand['id']}/campaigns"
    campaign = world.ask("POST", campaigns, json={**CAMPAIGN, "brand_id": brand["id"]})
    assert [each["id"] for each in world.ask("GET", campaigns)["data"]] == [campaign["id"]]
    one = f"{beta}/campaigns/{campaign['id']}"
    assert world.ask("GET", one)["sample2"] == CAMPAIGN["sample2"]
    assert world.ask("PUT", one, json={"name": "Other orders"})["name"] == "Other orders"
    order = world.ask("POST", f"{one}/orders", json={"phone_numbers": [OURS]})
    assert [each["id"] for each in world.ask("GET", f"{one}/orders")["data"]] == [order["id"]]
    assert world.ask("GET", f"{beta}/orders/{order['id']}")["id"] == order["id"]
    world.server.run(world.server.app.orders.turn())
    [assigned] = world.ask("GET", f"{one}/numbers")["data"]
    assert assigned["phone_number"]["number"] == OURS
    world.ask("DELETE", f"{beta}/numbers/{assigned['id']}")


def guide(world: World) -> None:
    brand = world.ask("POST", "/api/messaging/brands", json=GUIDE_BRAND)
    campaign = world.ask("POST", "/api/messaging/campaigns", json={**GUIDE_CAMPAIGN, "brand_id": brand["id"]})
    found = world.ask("GET", f"/api/messaging/campaigns/{campaign['id']}")
    assert (found["use_case"], found["brand_id"]) == ("appointment_reminders", brand["id"])
    path = f"{REST}/phone_numbers/{world.number['id']}"
    world.ask("PUT", path, json={"messaging_campaign_id": campaign["id"]})
    world.ask("PUT", path, json={"messaging_campaign_id": None})


def codes(world: World) -> None:
    asked = world.ask("POST", f"{REST}/mfa/sms", json={"to": PHONE, "from": OURS, "message": "It is:"})
    [*_, told] = world.client.inbox(PHONE, "It is:")
    answer = {"token": told["body"].removeprefix("It is: ")}
    assert world.ask("POST", f"{REST}/mfa/{asked['id']}/verify", json=answer)["success"] is True


def projects(world: World) -> None:
    [project] = world.ask("GET", "/api/projects")["data"]
    assert world.ask("GET", f"/api/projects/{project['id']}") == project
    assert world.ask("POST", f"/api/projects/{project['id']}/signing-key/rotate")["signing_key"].startswith("PSK_")
    token = world.ask("POST", "/api/project/tokens", json={"name": "CI", "permissions": ["messaging"]})
    changed = world.ask("PATCH", f"/api/project/tokens/{token['id']}", json={"name": "Builds"})
    assert changed == {**token, "name": "Builds"}
    world.ask("DELETE", f"/api/project/tokens/{token['id']}")


def fabric(world: World) -> None:
    webhook = {"name": "Ours", "used_for": "messaging", "primary_request_url": HOOK}
    script = {"name": "Bot", "script_type": "messaging", "contents": {"reply": "Hi"}}
    for path, method, given, changes in (
        ("swml_webhooks", "PATCH", webhook, {"fallback_request_url": HOOK}),
        ("cxml_webhooks", "PATCH", webhook, {"primary_request_method": "GET"}),
        ("swml_scripts", "PUT", script, {"display_name": "Other bot"}),
        ("relay_applications", "PUT", {"name": "Desk", "topic": "desk"}, {"topic": "office"}),
    ):
        made = world.ask("POST", f"{FABRIC}/{path}", json=given)
        world.pair(f"{FABRIC}/{path}", made)
        assert world.ask("GET", f"{FABRIC}/{made['id']}") == made
        assert made["id"] in [each["id"] for each in world.ask("GET", FABRIC)["data"]]
        changed = world.ask(method, f"{FABRIC}/{path}/{made['id']}", json=changes)
        inner = changed[changed["type"]]
        assert all(inner[name] == value for name, value in changes.items())
        route = {"phone_route_id": world.number["id"], "handler": "messaging"}
        world.ask("POST", f"{FABRIC}/{made['id']}/phone_routes", json=route)
        number = world.ask("GET", f"{REST}/phone_numbers/{world.number['id']}")
        assert number["messaging_handler_resource_id"] == made["id"]
        world.ask("DELETE", f"{FABRIC}/{path}/{made['id']}")
    other = world.ask("POST", f"{FABRIC}/relay_applications", json={"name": "Desk", "topic": "desk"})
    world.ask("DELETE", f"{FABRIC}/{other['id']}")


WALK: Final[tuple[Callable[[World], None], ...]] = (
    messages,
    numbers,
    groups,
    short_codes,
    registry,
    guide,
    codes,
    projects,
    fabric,
)


def test_every_operation_answers_as_its_table_says(tmp_path: Path) -> None:
    failed: dict[str, BaseException] = {}
    with serve(f"sqlite:///{tmp_path}/parley.db") as server:
        world = World(server)
        for step in WALK:
            try:
                step(world)
            except Exception as error:  # noqa: BLE001 - one report of all that is wrong
                failed[step.__name__] = error
    missing = [f"{row['method']} {row['path']}" for at, row in enumerate(OPERATIONS) if at not in world.answered]
    print(f"{len(world.answered)} of {len(OPERATIONS)} operations of tiers 1 and 2 answered")
    assert not failed, "\n".join(f"{name}: {error!r}" for name, error in failed.items())
    assert not missing


def test_the_counts_stand_in_the_docs() -> None:
    _, _, section = COUNTS.read_text().partition("## SignalWire")
    for tier in ("T1", "T2"):
        count = sum(row["tier"] == tier for row in OPERATIONS)
        assert re.search(rf"\| {tier} \| {count} of {count} \|", section)
