"""What is told of services, their senders and consent is there after a restart, on both engines."""

from typing import Any

from twilio.rest import Client

from tests.api.twilio.client import ask, client_of
from tests.server import Server, serve

WORDS = [{"type": "STOP", "keywords": ["ALTO"], "reply": "Adios.", "language": "es", "country": ""}]
PHONE = "+15550009801"


def told(server: Server, sid: str) -> dict[str, Any]:
    """Return everything that is known of a service."""
    client = client_of(server)
    service = client.messaging.v1.services(sid)
    plain = service.fetch()
    lists = (service.phone_numbers, service.short_codes, service.alpha_senders, service.destination_alpha_senders)
    return {
        "settings": (plain.friendly_name, plain.usecase, plain.sticky_sender, plain.date_created),
        "senders": [[each.sid for each in listed.list()] for listed in (*lists, service.channel_senders)],
        "channels": [each.sender_id for each in client.messaging.v2.channels_senders.list(channel="whatsapp")],
        "keywords": ask(server, "GET", f"/admin/services/{sid}/keywords").json(),
        "consents": ask(server, "GET", "/admin/consents").json(),
        "history": ask(server, "GET", f"/admin/consents/{sid}/{PHONE}").json(),
    }


def filled(server: Server, client: Client) -> str:
    """Return a service that has one of everything."""
    sid = str(client.messaging.v1.services.create(friendly_name="Kept", usecase="poll", sticky_sender=False).sid)
    service = client.messaging.v1.services(sid)
    number = client.incoming_phone_numbers.create(phone_number="+14155550501")
    code = server.run(server.app.numbers.own(server.app.numbers.blank(server.account_id, "24680", "twilio")))
    senders = client.messaging.v2.channels_senders
    channel = senders.create(
        senders.MessagingV2ChannelsSenderRequestsCreate(
            {"sender_id": "whatsapp:+14155550501", "profile": {"name": "Acme"}}
        )
    )
    service.phone_numbers.create(phone_number_sid=number.sid)
    service.short_codes.create(short_code_sid=f"SC{code.id.hex()}")
    service.alpha_senders.create(alpha_sender="ACME")
    service.destination_alpha_senders.create(alpha_sender="ACME", iso_country_code="GB")
    service.channel_senders.create(sid=channel.sid)
    ask(server, "PUT", f"/admin/services/{sid}/keywords", json={"keywords": WORDS}).raise_for_status()
    ask(server, "PUT", f"/admin/consents/{sid}/{PHONE}", json={}).raise_for_status()
    return sid


def test_everything_outlives_a_restart(store_url: str) -> None:
    with serve(store_url) as server:
        sid = filled(server, client_of(server))
        before = told(server, sid)
        assert [len(listed) for listed in before["senders"]] == [1] * 5
        assert before["history"]["opted_out"]
    with serve(store_url) as server:
        assert told(server, sid) == before
        assert client_of(server).messaging.v1.services(sid).delete()
        assert server.run(server.app.pool_senders.family(server.account_id)) == ()
