"""A messaging service: several numbers that act as one sender. python service.py NAME +15551234567 +15557654321."""

from collections.abc import Iterable

from arguments import arguments
from parley_twilio import connect
from twilio.rest import Client


def make(client: Client, name: str, numbers: Iterable[str], **settings: object) -> str:
    """Make a service of numbers that the account has; returns its SID.

    `settings` are for example `inbound_request_url`, `status_callback`, `validity_period` and `smart_encoding`.
    """
    service = client.messaging.v1.services.create(friendly_name=name, sticky_sender=True, **settings)
    for number in numbers:
        (owned,) = client.incoming_phone_numbers.list(phone_number=number, limit=1)
        service.phone_numbers.create(phone_number_sid=owned.sid)
    return str(service.sid)


def send(client: Client, service: str, recipient: str, body: str) -> str:
    """Send through a service. It has no sender yet: the service takes one of the recipient's country where it can."""
    message = client.messages.create(messaging_service_sid=service, to=recipient, body=body)
    return str(message.sid)


if __name__ == "__main__":
    name, numbers = arguments(__doc__, name=str, numbers=str)
    print(make(connect(), name, numbers))
