"""signalwire-sdk 3: answers each message of a context, and tells what becomes of the answers."""

import os
import sys

from signalwire.relay import RelayClient, RelayError
from signalwire.relay.event import RelayEvent
from signalwire.relay.message import Message

client = RelayClient(
    project=os.environ["SIGNALWIRE_PROJECT_ID"],
    token=os.environ["SIGNALWIRE_API_TOKEN"],
    host=os.environ["SIGNALWIRE_SPACE_URL"].removeprefix("https://"),  # it takes no scheme: TLS always
    contexts=sys.argv[1:] or ["office"],
)


def tell(event: RelayEvent) -> None:
    """Say how a message ended."""
    print(f"{event.params['message_id']}: {event.params['message_state']}", flush=True)


@client.on_message
async def answer(message: Message) -> None:
    """Answer a message."""
    print("Received:", message.body, flush=True)
    try:
        sent = await client.send_message(
            to_number=message.from_number,
            from_number=message.to_number,
            body=f"You said: {message.body}",
            media=message.media,
            on_completed=tell,
        )
        print("Sent:", sent.message_id, flush=True)
    except RelayError as error:
        print("Not sent:", error, flush=True)


try:
    client.run()
except RelayError as error:  # after three tries
    print("Refused:", error)
