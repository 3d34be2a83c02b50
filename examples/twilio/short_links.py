"""Send links that fit into a text: python short_links.py MG... +15550001111 https://example.com/orders/1234?token=..."""

from arguments import arguments
from parley_twilio import connect
from twilio.rest import Client


def send_link(client: Client, service: str, recipient: str, link: str) -> str:
    """Send a link, shortened on the way, and return the text as it goes out. Clicks are counted for each message."""
    message = client.messages.create(
        messaging_service_sid=service, to=recipient, body=f"Your order is on its way: {link}", shorten_urls=True
    )
    return str(message.body)


if __name__ == "__main__":
    given = arguments(__doc__, service=str, recipient=str, link=str)
    print(send_link(connect(), *given))
