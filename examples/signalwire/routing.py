"""Relay contexts: one client hears what comes to support and to sales, and sends each to its own people."""

import asyncio
import os

from parley.realtime import Client, Message

ANSWERS = {"support": "Our technicians will call you.", "sales": "Here is our catalogue: https://example.com/"}


def client() -> Client:
    """A client of the service that SIGNALWIRE_SPACE_URL says."""
    ours = Client(
        project=os.environ["SIGNALWIRE_PROJECT_ID"],
        token=os.environ["SIGNALWIRE_API_TOKEN"],
        contexts=list(ANSWERS),
    )

    @ours.messaging.on("message.received")
    async def route(message: Message) -> None:
        await ours.messaging.send(
            from_number=message.to_number,
            to_number=message.from_number,
            body=ANSWERS[message.context],
            context=message.context,
        )

    return ours


if __name__ == "__main__":
    asyncio.run(client().connect())
