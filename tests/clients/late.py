"""signalwire-sdk 3: answers each message, and receives another context once it is told to."""

import os
import sys
from typing import Any

from signalwire.relay import RelayClient

context, later = sys.argv[1:]
client = RelayClient(
    project=os.environ["SIGNALWIRE_PROJECT_ID"],
    token=os.environ["SIGNALWIRE_API_TOKEN"],
    host=os.environ["SIGNALWIRE_SPACE_URL"].removeprefix("https://"),
    contexts=[context],
)


def tell(*words: str) -> None:
    print(*words, flush=True)


@client.on_message
async def answer(message: Any) -> None:
    tell("Received:", message.body)
    if message.body == "Join":
        await client.receive([later])
        tell("Joined:", later)
        return
    sent = await client.send_message(
        to_number=message.from_number,
        from_number=message.to_number,
        body=f"You said: {message.body}",
        on_completed=lambda event: tell(f"{event.params['message_id']}: {event.params['message_state']}"),
    )
    tell("Sent:", sent.message_id)


client.run()
