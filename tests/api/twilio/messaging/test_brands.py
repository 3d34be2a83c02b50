"""Brands and their vettings through the official client, and the reviewers who decide on them."""

from collections.abc import Iterator

import pytest
import requests
from twilio.rest import Client

from tests.api.twilio.client import client_of, refusal
from tests.api.twilio.messaging.registry import BUNDLES, decide, tell
from tests.clock import ManualClock
from tests.server import Server, serve


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, clock: ManualClock) -> Iterator[Server]:
    """Return a server of the strict profile whose clock is turned by hand."""
    with serve(f"sqlite:///{tmp_path_factory.mktemp('brands')}/parley.db", clock, profile="strict") as parley:
        yield parley


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return client_of(server)


@pytest.fixture(autouse=True)
def usual(server: Server) -> None:
    tell(server, delay_s=0, verdict="rules", reason="", score=50)


def test_a_brand_is_approved_after_the_delay(server: Server, client: Client, clock: ManualClock) -> None:
    tell(server, delay_s=60)
    brand = client.messaging.v1.brand_registrations.create(**BUNDLES)
    assert (brand.status, brand.tcr_id, brand.brand_score) == ("PENDING", None, None)
    clock.advance(59)
    decide(server)
    assert brand.fetch().status == "PENDING"
    clock.advance(1)
    decide(server)
    found = brand.fetch()
    assert (found.status, found.identity_status, found.brand_score) == ("APPROVED", "VETTED_VERIFIED", 50)
    assert found.tcr_id.startswith("B")
    assert len(found.tcr_id) == 7
    assert (found.failure_reason, found.errors) == (None, [])


def test_it_is_decided_by_itself(server: Server, client: Client, clock: ManualClock) -> None:
    tell(server, delay_s=5)
    brand = client.messaging.v1.brand_registrations.create(**BUNDLES)
    clock.advance(5)
    server.look()
    for _ in range(100):
        if brand.fetch().status == "APPROVED":
            return
        server.run(server.app.engine.wait_for_change(0.2))
    raise AssertionError("nobody decided")


def test_a_brand_that_nobody_vets_is_trusted_little(server: Server, client: Client) -> None:
    tell(server, score=90)
    brand = client.messaging.v1.brand_registrations.create(**BUNDLES, skip_automatic_sec_vet=True)
    decide(server)
    found = brand.fetch()
    assert (found.brand_score, found.identity_status, found.skip_automatic_sec_vet) == (49, "VERIFIED", True)
    vetting = client.messaging.v1.brand_registrations(brand.sid).brand_vettings.create(vetting_provider="aegis")
    assert (vetting.vetting_status, vetting.vetting_class) == ("PENDING", "STANDARD")
    decide(server)
    found = brand.fetch()
    assert (found.brand_score, found.identity_status) == (90, "VETTED_VERIFIED")


def test_vettings_are_listed_by_provider(server: Server, client: Client) -> None:
    brand = client.messaging.v1.brand_registrations.create(**BUNDLES)
    vettings = client.messaging.v1.brand_registrations(brand.sid).brand_vettings
    political = vettings.create(vetting_provider="campaign-verify", vetting_id="cv|1.0")
    standard = vettings.create(vetting_provider="aegis")
    assert political.vetting_class == "POLITICAL"
    everything = [found.brand_vetting_sid for found in vettings.list()]
    assert everything == [standard.brand_vetting_sid, political.brand_vetting_sid]
    assert [found.vetting_id for found in vettings.list(vetting_provider="campaign-verify")] == ["cv|1.0"]
    decide(server)
    assert vettings(political.brand_vetting_sid).fetch().vetting_status == "SUCCESS"
    other = client.messaging.v1.brand_registrations.create(**BUNDLES)
    elsewhere = client.messaging.v1.brand_registrations(other.sid).brand_vettings(political.brand_vetting_sid)
    assert refusal(elsewhere.fetch) == (404, 20404)


def test_a_rejected_brand_is_submitted_again(server: Server, client: Client) -> None:
    told = tell(server, verdict="reject", reason="The tax id is another business's.")
    assert told == {"delay_s": 0, "verdict": "reject", "reason": "The tax id is another business's.", "score": 50}
    brand = client.messaging.v1.brand_registrations.create(**BUNDLES)
    decide(server)
    found = brand.fetch()
    assert (found.status, found.identity_status) == ("FAILED", "UNVERIFIED")
    assert found.failure_reason == "The tax id is another business's."
    assert [(error["error_code"], error["description"]) for error in found.errors] == [(30792, found.failure_reason)]
    tell(server, verdict="rules")
    again = client.messaging.v1.brand_registrations(brand.sid).update()
    assert (again.status, again.errors) == ("PENDING", [])
    decide(server)
    assert brand.fetch().status == "APPROVED"


def test_what_is_held_is_decided_once_it_is_let_go(server: Server, client: Client) -> None:
    tell(server, verdict="hold")
    brand = client.messaging.v1.brand_registrations.create(**BUNDLES)
    decide(server)
    assert brand.fetch().status == "PENDING"
    tell(server, verdict="approve")
    decide(server)
    assert brand.fetch().status == "APPROVED"


def test_only_a_rejected_brand_is_submitted_again(server: Server, client: Client) -> None:
    tell(server, verdict="hold")
    brand = client.messaging.v1.brand_registrations.create(**BUNDLES)
    update = client.messaging.v1.brand_registrations(brand.sid).update
    assert refusal(update) == (400, 21725)
    tell(server, verdict="rules")
    decide(server)
    assert refusal(update) == (400, 21725)
    assert brand.fetch().status == "APPROVED"


def test_brands_are_listed_newest_first(client: Client) -> None:
    made = [client.messaging.v1.brand_registrations.create(**BUNDLES, mock=True).sid for _ in range(3)]
    listed = [brand.sid for brand in client.messaging.v1.brand_registrations.list(page_size=2)]
    assert listed[:3] == made[::-1]
    assert listed == sorted(listed, reverse=True)


def test_a_sole_proprietor_has_no_score(server: Server, client: Client) -> None:
    brand = client.messaging.v1.brand_registrations.create(**BUNDLES, brand_type="SOLE_PROPRIETOR")
    decide(server)
    found = brand.fetch()
    assert (found.brand_type, found.status, found.brand_score) == ("SOLE_PROPRIETOR", "APPROVED", None)


def test_what_is_no_brand(client: Client) -> None:
    brands = client.messaging.v1.brand_registrations
    wrong = {**BUNDLES, "a2p_profile_bundle_sid": "BU1"}
    assert refusal(lambda: brands.create(**wrong)) == (400, 20001)
    assert refusal(lambda: brands.create(**BUNDLES, brand_type="LARGE")) == (400, 20001)
    missing = brands("BN" + "0" * 32)
    assert refusal(missing.fetch) == (404, 20404)
    assert refusal(missing.update) == (404, 20404)
    assert refusal(lambda: missing.brand_vettings.create(vetting_provider="aegis")) == (404, 20404)


def test_reviewers_are_told_what_they_understand(server: Server) -> None:
    url = f"{server.base_url}/simulator/reviewers"
    for wrong in ({"verdict": "perhaps"}, {"delay_s": -1}, {"score": 101}, {"mood": "good"}):
        assert requests.put(url, json=wrong, auth=server.auth, timeout=30).status_code == 400
    shown = requests.get(url, auth=server.auth, timeout=30).json()
    assert shown == {"delay_s": 0, "verdict": "rules", "reason": "", "score": 50}
    assert requests.get(url, timeout=30).status_code == 401


def test_what_waits_is_decided_after_a_restart(store_url: str, clock: ManualClock) -> None:
    with serve(store_url, clock, profile="strict") as before:
        tell(before, delay_s=60, verdict="reject", reason="The tax id is another business's.")
        made = client_of(before).messaging.v1.brand_registrations.create(**BUNDLES)
    clock.advance(60)
    with serve(store_url, clock, profile="strict") as after:
        decide(after)
        found = client_of(after).messaging.v1.brand_registrations(made.sid).fetch()
    assert (found.status, found.failure_reason) == ("FAILED", "The tax id is another business's.")
