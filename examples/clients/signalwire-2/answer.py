"""signalwire 2.1.1: answers each message of a context, and tells what becomes of the answers."""

import os
import sys

from signalwire.relay.consumer import Consumer
from signalwire.relay.messaging.message import Message


class Answers(Consumer):
    """Its methods are called as things happen."""

    def setup(self) -> None:
        """Say who we are, and where the server is."""
        self.project = os.environ["SIGNALWIRE_PROJECT_ID"]
        self.token = os.environ["SIGNALWIRE_API_TOKEN"]
        self.host = os.environ["SIGNALWIRE_SPACE_URL"].replace("http", "ws", 1)
        self.contexts = sys.argv[1:] or ["office"]

    def ready(self) -> None:
        """Hear that the context is received."""
        print("Ready", flush=True)

    async def on_incoming_message(self, message: Message) -> None:
        """Answer a message."""
        print("Received:", message.body, flush=True)
        sent = await self.client.messaging.send(
            context=message.context,  # it has to be given
            to_number=message.from_number,
            from_number=message.to_number,
            body=f"You said: {message.body}",
            media=message.media,
        )
        print("Sent:" if sent.successful else "Not sent:", sent.message_id, flush=True)

    def on_message_state_change(self, message: Message) -> None:
        """Say what becomes of an answer."""
        print(f"{message.id}: {message.state}", flush=True)


Answers().run()
