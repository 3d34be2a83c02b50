"""Write on WhatsApp: the addresses say so, all else is as with texts. python whatsapp.py +15551234567 +15550001111."""

from arguments import arguments
from parley_twilio import connect
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

NOT_ON_WHATSAPP = 63003
OUTSIDE_THE_WINDOW = 63016
"""They have not written for 24 hours: only an approved template reaches them."""


def send(client: Client, sender: str, recipient: str, body: str, picture: str | None = None) -> str:
    """Send a message, with a picture where there is one; returns its SID."""
    media = {"media_url": [picture]} if picture else {}
    message = client.messages.create(from_=f"whatsapp:{sender}", to=f"whatsapp:{recipient}", body=body, **media)
    return str(message.sid)


def show_place(client: Client, sender: str, recipient: str, name: str, latitude: float, longitude: float) -> str:
    """Send a place on the map."""
    message = client.messages.create(
        from_=f"whatsapp:{sender}",
        to=f"whatsapp:{recipient}",
        body=name,
        persistent_action=[f"geo:{latitude},{longitude}|{name}"],
    )
    return str(message.sid)


def was_read(client: Client, sid: str) -> bool:
    """Tell whether the recipient has opened it: WhatsApp alone knows. What failed is an error that says why."""
    message = client.messages(sid).fetch()
    if message.error_code in (NOT_ON_WHATSAPP, OUTSIDE_THE_WINDOW):
        raise TwilioRestException(200, message.uri, message.error_message, message.error_code)
    return bool(message.status == "read")


if __name__ == "__main__":
    sender, recipient = arguments(__doc__, sender=str, recipient=str)
    print(send(connect(), sender, recipient, "Hello from a program"))
