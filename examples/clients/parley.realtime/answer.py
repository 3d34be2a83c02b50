"""parley.realtime: answers each message of a context, and tells what becomes of the answers."""

import asyncio
import os
import sys

from parley.realtime import Client, Message, RealtimeError, Unauthorized

client = Client(
    project=os.environ["SIGNALWIRE_PROJECT_ID"],
    token=os.environ["SIGNALWIRE_API_TOKEN"],
    host=os.environ["SIGNALWIRE_SPACE_URL"],
    contexts=sys.argv[1:] or ["office"],
)


@client.on("connected")
def ready() -> None:
    """Hear that the context is received."""
    print("Ready", flush=True)


@client.messaging.on("message.received")
async def answer(message: Message) -> None:
    """Answer a message."""
    print("Received:", message.body, flush=True)
    try:
        sent = await client.messaging.send(
            from_number=message.to_number,
            to_number=message.from_number,
            body=f"You said: {message.body}",
            media=message.media,
        )
        print("Sent:", sent.message_id, flush=True)
    except RealtimeError as error:
        print("Not sent:", error, flush=True)


@client.messaging.on("message.updated")
def tell(message: Message) -> None:
    """Say what becomes of an answer."""
    print(f"{message.message_id}: {message.state}", flush=True)


try:
    asyncio.run(client.connect())
except Unauthorized as error:
    print("Refused:", error)
