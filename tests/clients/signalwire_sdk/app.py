"""signalwire-sdk 3: answers what comes, and tells on stdout what becomes of the answers."""

import json
import os
from typing import Any

from signalwire.relay import RelayClient, RelayError

context = os.environ["CONTEXT"]
client = RelayClient(
    project=os.environ["PROJECT"], token=os.environ["TOKEN"], host=os.environ["HOST"], contexts=[context]
)


def tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


@client.on_message
async def answer(message: Any) -> None:
    sent = await client.send_message(
        to_number=message.from_number,
        from_number=message.to_number,
        body=f"You said: {message.body}",
        media=message.media,
        on_completed=lambda event: tell(id=event.params["message_id"], state=event.params["message_state"]),
    )
    tell(sent=sent.message_id)


try:
    client.run()
except RelayError as error:
    tell(refused=str(error))
