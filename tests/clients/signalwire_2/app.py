"""signalwire 2.1.1: answers what comes, and tells on stdout what becomes of the answers."""

import json
import os
from typing import Any

from signalwire.relay.consumer import Consumer

CONTEXT = os.environ["CONTEXT"]


def tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


class App(Consumer):
    def setup(self) -> None:
        self.project, self.token, self.host = (os.environ[name] for name in ("PROJECT", "TOKEN", "HOST"))
        self.contexts = [CONTEXT]

    async def ready(self) -> None:
        tell(ready=True)

    async def on_incoming_message(self, message: Any) -> None:
        media = {"media": message.media} if message.media else {}
        sent = await self.client.messaging.send(
            context=CONTEXT,
            to_number=message.from_number,
            from_number=message.to_number,
            body=f"You said: {message.body}",
            **media,
        )
        tell(sent=sent.message_id)

    async def on_message_state_change(self, message: Any) -> None:
        tell(id=message.id, state=message.state)


App().run()
