"""parley.realtime: answers what comes, and tells on stdout what becomes of the answers."""

import asyncio
import json
import os

from parley.realtime import Client, Message, Unauthorized

CONTEXT = os.environ["CONTEXT"]


def tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


async def main() -> None:
    client = Client(
        project=os.environ["PROJECT"], token=os.environ["TOKEN"], host=os.environ["HOST"], contexts=[CONTEXT]
    )

    @client.messaging.on("message.received")
    async def answer(message: Message) -> None:
        sent = await client.messaging.send(
            from_number=message.to_number,
            to_number=message.from_number,
            body=f"You said: {message.body}",
            media=message.media or None,
        )
        tell(sent=sent.message_id)

    @client.messaging.on("message.updated")
    def note(message: Message) -> None:
        tell(id=message.message_id, state=message.state)

    try:
        await client.connect()
    except Unauthorized as problem:
        tell(refused=str(problem))


asyncio.run(main())
