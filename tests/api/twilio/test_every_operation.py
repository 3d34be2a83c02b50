"""Every operation of the first two tiers answers the official client, as its description says."""

import csv
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from twilio.rest import Client
from twilio.rest.messaging.v2.channels_sender import ChannelsSenderContext, ChannelsSenderList

from parley.api.http.products import PRODUCTS
from tests.api.twilio.client import Checked
from tests.openapi import SPECS
from tests.server import Server, serve

TIERS: Final = list(csv.DictReader((SPECS / "twilio_tiers.csv").read_text().splitlines()))
WANTED: Final = {row["operation"]: row["name"] for row in TIERS if row["tier"] in ("T1", "T2")}
COUNTS: Final = Path(__file__).parents[3] / "docs" / "compat" / "README.md"
_TEMPLATES: Final = {
    operation: re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(operation.partition(" ")[2]))) for operation in WANTED
}
PHONE: Final = "+15550009001"
REVIEWERS: Final = "/simulator/reviewers"
CALLED: Final = "http://127.0.0.1:9/called"


class Noting(Checked):
    """Notes each operation that succeeded."""

    def __init__(self) -> None:
        super().__init__()
        self.answered: set[str] = set()

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        """Make one request."""
        response = super().request(method, url, *args, **kwargs)
        if response.status_code < 400:
            path = urlsplit(url).path
            fits = [each for each, form in _TEMPLATES.items() if each.startswith(f"{method} ") and form.fullmatch(path)]
            if fits:
                self.answered.add(min(fits, key=lambda each: each.count("{")))
        return response


class World:
    """A server, its client, and what the walk made so far."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.http = Noting()
        self.client = Client(server.account_sid, server.auth_token, http_client=self.http)
        self.client.api.base_url = server.base_url
        for product in PRODUCTS:
            getattr(self.client, product).base_url = f"{server.base_url}/{product}"
        self.messaging = self.client.messaging.v1
        [self.number] = self.client.incoming_phone_numbers.list(phone_number="+15551234567")

    def ask(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Ask what only Parley has."""
        answer = requests.request(method, self.server.base_url + path, auth=self.server.auth, timeout=30, **kwargs)
        answer.raise_for_status()
        return answer


def accounts(world: World) -> None:
    client = world.client
    made = client.api.accounts.create(friendly_name="A part of it")
    assert made.sid in [account.sid for account in client.api.accounts.list()]
    assert client.api.accounts(made.sid).fetch().friendly_name == "A part of it"
    assert client.api.accounts(made.sid).update(status="closed").status == "closed"
    assert client.balance.fetch().currency == "USD"


def applications(world: World) -> None:
    client = world.client
    made = client.applications.create(friendly_name="Orders", message_status_callback=CALLED)
    assert [found.sid for found in client.applications.list(friendly_name="Orders")] == [made.sid]
    client.applications(made.sid).update(sms_url=CALLED)
    assert client.applications(made.sid).fetch().sms_url == CALLED
    assert client.applications(made.sid).delete()


def numbers_for_sale(world: World) -> None:
    client = world.client
    assert "US" in [country.country_code for country in client.available_phone_numbers.list()]
    assert client.available_phone_numbers("US").fetch().country == "United States"
    local = client.available_phone_numbers("US").local.list(area_code=415, limit=2)
    mobile = client.available_phone_numbers("GB").mobile.list(limit=1)
    free = client.available_phone_numbers("US").toll_free.list(limit=1)
    bought = [
        client.incoming_phone_numbers.local.create(phone_number=local[0].phone_number),
        client.incoming_phone_numbers.mobile.create(phone_number=mobile[0].phone_number),
        client.incoming_phone_numbers.toll_free.create(phone_number=free[0].phone_number),
        client.incoming_phone_numbers.create(phone_number=local[1].phone_number),
    ]
    assert bought[0].phone_number in [n.phone_number for n in client.incoming_phone_numbers.local.list()]
    assert [n.sid for n in client.incoming_phone_numbers.mobile.list()] == [bought[1].sid]
    assert [n.sid for n in client.incoming_phone_numbers.toll_free.list()] == [bought[2].sid]
    assert client.incoming_phone_numbers(bought[3].sid).update(friendly_name="Ours").friendly_name == "Ours"
    assert client.incoming_phone_numbers(bought[3].sid).fetch().friendly_name == "Ours"
    assert client.incoming_phone_numbers(bought[3].sid).delete()


def keys(world: World) -> None:
    client = world.client
    for made, of in ((client.new_keys, client.keys), (client.new_signing_keys, client.signing_keys)):
        key = made.create(friendly_name="Ours")
        assert key.secret
        assert key.sid in [found.sid for found in of.list()]
        assert of(key.sid).update(friendly_name="Still ours").friendly_name == "Still ours"
        assert of(key.sid).fetch().friendly_name == "Still ours"
        assert of(key.sid).delete()


def messages(world: World) -> None:
    client, ours = world.client, world.number.phone_number
    sent = client.messages.create(to=PHONE, from_=ours, body="Hello", provide_feedback=True)
    world.ask("GET", f"/simulator/phones/{PHONE}/messages", params={"wait": 20, "contains": "Hello"})
    assert client.messages(sent.sid).feedback.create(outcome="confirmed").outcome == "confirmed"
    picture = {"content_type": "image/png", "data": "iVBORw0KGgo="}
    came = world.ask(
        "POST", f"/simulator/phones/{PHONE}/messages", json={"to": ours, "body": "See", "media": [picture]}
    ).json()
    sid = "MM" + came["message_id"].replace("-", "")
    assert client.messages(sid).fetch().num_media == "1"
    [media] = client.messages(sid).media.list()
    assert client.messages(sid).media(media.sid).fetch().content_type == "image/png"
    assert client.messages(sid).media(media.sid).delete()
    assert client.messages(sid).update(body="").body == ""
    assert sid in [message.sid for message in client.messages.list(to=ours)]
    assert client.messages(sid).delete()


def notifications(world: World) -> None:
    client, ours = world.client, world.number
    client.incoming_phone_numbers(ours.sid).update(sms_url=CALLED)
    world.ask("POST", f"/simulator/phones/{PHONE}/messages", json={"to": ours.phone_number, "body": "Anybody?"})
    for _ in range(1000):
        if world.ask("GET", "/admin/callbacks", params={"state": "gave_up"}).json()["callbacks"]:
            break
    [found] = client.notifications.list()
    assert client.notifications(found.sid).fetch().error_code == found.error_code == "11205"
    client.incoming_phone_numbers(ours.sid).update(sms_url="")


def caller_ids(world: World) -> None:
    client = world.client
    assert client.validation_requests.create(phone_number="+14155550123", friendly_name="Desk").validation_code
    [found] = client.outgoing_caller_ids.list(phone_number="+14155550123")
    assert client.outgoing_caller_ids(found.sid).update(friendly_name="Hall").friendly_name == "Hall"
    assert client.outgoing_caller_ids(found.sid).fetch().friendly_name == "Hall"
    assert client.outgoing_caller_ids(found.sid).delete()


def short_codes(world: World) -> None:
    client = world.client
    client.messages.create(to=PHONE, from_="24687", body="From a short code")
    [code] = client.short_codes.list(short_code="24687")
    assert client.short_codes(code.sid).update(friendly_name="Alerts").friendly_name == "Alerts"
    assert client.short_codes(code.sid).fetch().short_code == "24687"


def usage(world: World) -> None:
    records = world.client.usage.records
    for each in (
        records,
        records.all_time,
        records.daily,
        records.last_month,
        records.monthly,
        records.this_month,
        records.today,
        records.yearly,
        records.yesterday,
    ):
        assert all(record.category == "sms" for record in each.list(category="sms"))
    assert records.all_time.list(category="sms")


def services(world: World) -> None:
    of = world.messaging.services
    made = of.create(friendly_name="Alerts", inbound_request_url=CALLED)
    assert made.sid in [service.sid for service in of.list()]
    assert of(made.sid).update(sticky_sender=False).sticky_sender is False
    assert of(made.sid).fetch().friendly_name == "Alerts"
    assert world.messaging.usecases.fetch().usecases
    number = of(made.sid).phone_numbers.create(phone_number_sid=world.number.sid)
    assert [found.sid for found in of(made.sid).phone_numbers.list()] == [number.sid]
    assert of(made.sid).phone_numbers(number.sid).fetch().phone_number == world.number.phone_number
    assert of(made.sid).phone_numbers(number.sid).delete()
    world.client.messages.create(to=PHONE, from_="13579", body="From a short code")
    [code] = world.client.short_codes.list(short_code="13579")
    of(made.sid).short_codes.create(short_code_sid=code.sid)
    assert of(made.sid).short_codes(code.sid).fetch().short_code == "13579"
    assert [found.sid for found in of(made.sid).short_codes.list()] == [code.sid]
    assert of(made.sid).short_codes(code.sid).delete()
    alpha = of(made.sid).alpha_senders.create(alpha_sender="ACME")
    assert [found.sid for found in of(made.sid).alpha_senders.list()] == [alpha.sid]
    assert of(made.sid).alpha_senders(alpha.sid).fetch().alpha_sender == "ACME"
    assert of(made.sid).alpha_senders(alpha.sid).delete()
    there = of(made.sid).destination_alpha_senders.create(alpha_sender="ACME", iso_country_code="GB")
    assert [found.sid for found in of(made.sid).destination_alpha_senders.list()] == [there.sid]
    assert of(made.sid).destination_alpha_senders(there.sid).fetch().iso_country_code == "GB"
    assert of(made.sid).destination_alpha_senders(there.sid).delete()
    assert of(made.sid).delete()


def channels(world: World) -> None:
    of, client = world.messaging.services, world.client.messaging.v2.channels_senders
    wanted = {"sender_id": "whatsapp:+15557654321", "profile": {"name": "Acme"}}
    sender = client.create(ChannelsSenderList.MessagingV2ChannelsSenderRequestsCreate(wanted))
    assert sender.sid in [found.sid for found in client.list(channel="whatsapp")]
    assert client(sender.sid).fetch().sender_id == "whatsapp:+15557654321"
    changed = {"profile": {"name": "Acme Ltd"}}
    client(sender.sid).update(ChannelsSenderContext.MessagingV2ChannelsSenderRequestsUpdate(changed))
    service = of.create(friendly_name="Chats")
    put = of(service.sid).channel_senders.create(sid=sender.sid)
    assert [found.sid for found in of(service.sid).channel_senders.list()] == [put.sid]
    assert of(service.sid).channel_senders(put.sid).fetch().sender == "whatsapp:+15557654321"
    assert of(service.sid).channel_senders(put.sid).delete()
    assert client(sender.sid).delete()


def registry(world: World) -> None:
    v1 = world.messaging
    world.ask("PUT", REVIEWERS, json={"verdict": "reject", "delay_s": 0})
    brand = v1.brand_registrations.create(
        customer_profile_bundle_sid="BU" + "1" * 32, a2p_profile_bundle_sid="BU" + "2" * 32
    )
    assert brand.sid in [found.sid for found in v1.brand_registrations.list()]
    assert v1.brand_registrations(brand.sid).fetch().sid == brand.sid
    world.server.run(world.server.app.reviewing.turn())
    world.ask("PUT", REVIEWERS, json={"verdict": "approve"})
    assert v1.brand_registrations(brand.sid).update().status == "PENDING"
    world.server.run(world.server.app.reviewing.turn())
    vettings = v1.brand_registrations(brand.sid).brand_vettings
    vetting = vettings.create(vetting_provider="campaign-verify", vetting_id="id")
    assert [found.brand_vetting_sid for found in vettings.list()] == [vetting.brand_vetting_sid]
    assert vettings(vetting.brand_vetting_sid).fetch().vetting_id == "id"
    service = v1.services.create(friendly_name="Registered")
    of = v1.services(service.sid)
    assert of.us_app_to_person_usecases.fetch(brand_registration_sid=brand.sid).us_app_to_person_usecases
    asked = {
        "description": "Messages about orders to customers who asked for them in our shop.",
        "message_flow": "Customers tick a box in the shop's checkout to be told of their order by text message.",
        "message_samples": [
            "Acme: your order 1234 was sent today. Reply STOP to opt out.",
            "Acme: your order 1234 has arrived. Reply STOP to opt out.",
        ],
        "has_embedded_links": False,
        "has_embedded_phone": False,
    }
    campaign = of.us_app_to_person.create(brand_registration_sid=brand.sid, us_app_to_person_usecase="MIXED", **asked)
    assert campaign.sid in [found.sid for found in of.us_app_to_person.list()]
    assert of.us_app_to_person(campaign.sid).fetch().us_app_to_person_usecase == "MIXED"
    changed = {**asked, "description": "Messages about deliveries to customers who asked for them in our shop."}
    of.us_app_to_person(campaign.sid).update(age_gated=False, direct_lending=False, **changed)
    assert of.us_app_to_person(campaign.sid).delete()


def toll_free(world: World) -> None:
    client, of = world.client, world.messaging.tollfree_verifications
    world.ask("PUT", REVIEWERS, json={"verdict": "hold"})  # what is approved cannot be edited
    [free] = client.available_phone_numbers("US").toll_free.list(limit=1)
    number = client.incoming_phone_numbers.create(phone_number=free.phone_number)
    asked = of.create(
        business_name="Acme",
        business_website="https://example.com",
        notification_email="ops@example.com",
        use_case_categories=["CUSTOMER_CARE"],
        use_case_summary="Answers to questions about orders.",
        production_message_sample="Acme: your order was sent. Reply STOP to opt out.",
        opt_in_image_urls=["https://example.com/opt-in.png"],
        opt_in_type="WEB_FORM",
        message_volume="1,000",
        tollfree_phone_number_sid=number.sid,
    )
    assert asked.sid in [found.sid for found in of.list()]
    assert of(asked.sid).fetch().business_name == "Acme"
    of(asked.sid).update(business_name="Acme Ltd")
    assert of(asked.sid).delete()


def links(world: World) -> None:
    v1 = world.messaging
    domain = world.ask("POST", "/admin/domains", json={"domain": "go.example.com"}).json()["sid"]
    service = v1.services.create(friendly_name="Links")
    v1.domain_config(domain).update(fallback_url="https://example.com/gone")
    assert v1.domain_config(domain).fetch().fallback_url == "https://example.com/gone"
    v1.linkshortening_messaging_service(domain, service.sid).create()
    assert v1.domain_config_messaging_service(service.sid).fetch().domain_sid == domain
    assert v1.linkshortening_messaging_service_domain_association(service.sid).fetch().domain_sid == domain
    assert v1.linkshortening_messaging_service(domain, service.sid).delete()


def cancelling(world: World) -> None:
    service = world.messaging.services.create(friendly_name="Later")
    [other] = world.client.incoming_phone_numbers.list(phone_number="+15557654321")
    world.messaging.services(service.sid).phone_numbers.create(phone_number_sid=other.sid)
    later = world.client.messages.create(
        to=PHONE,
        messaging_service_sid=service.sid,
        body="Later",
        schedule_type="fixed",
        send_at=datetime.now(UTC) + timedelta(hours=1),
    )
    assert later.status == "scheduled"
    assert world.client.messages(later.sid).update(status="canceled").status == "canceled"


def lookups(world: World) -> None:
    assert world.client.lookups.v2.phone_numbers("+14155552671").fetch().country_code == "US"


WALK: Final[tuple[Callable[[World], None], ...]] = (
    accounts,
    applications,
    numbers_for_sale,
    keys,
    messages,
    notifications,
    caller_ids,
    short_codes,
    usage,
    services,
    channels,
    registry,
    toll_free,
    links,
    cancelling,
    lookups,
)


def test_every_operation_answers_the_official_client(tmp_path: Path) -> None:
    failed: dict[str, BaseException] = {}
    with serve(f"sqlite:///{tmp_path}/parley.db", callback_attempts=1) as server:
        world = World(server)
        for step in WALK:
            try:
                step(world)
            except Exception as error:  # noqa: BLE001 - one report of all that is wrong
                failed[step.__name__] = error
    missing = sorted(WANTED.keys() - world.http.answered)
    print(f"{len(world.http.answered)} of {len(WANTED)} operations of tiers 1 and 2 answered")
    assert not failed, "\n".join(f"{name}: {error!r}" for name, error in failed.items())
    assert not missing


def test_the_counts_stand_in_the_docs() -> None:
    for tier in ("T1", "T2"):
        count = sum(row["tier"] == tier for row in TIERS)
        assert re.search(rf"\| {tier} \| {count} of {count} \|", COUNTS.read_text())
