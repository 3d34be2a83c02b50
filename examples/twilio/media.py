"""Pictures out and in: sent by their URLs, fetched with the account's credentials, deleted once they are ours."""

import os
from collections.abc import Sequence
from pathlib import Path

import requests
from arguments import arguments
from parley_twilio import connect
from twilio.rest import Client
from twilio.twiml.messaging_response import MessagingResponse
from webhooks import serve

ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "application/pdf": ".pdf",
    "text/vcard": ".vcf",
}


def send_pictures(client: Client, sender: str, recipient: str, body: str, urls: Sequence[str]) -> str:
    """Send up to ten pictures; returns the message's SID."""
    return str(client.messages.create(from_=sender, to=recipient, body=body, media_url=list(urls)).sid)


def attachments(event: dict[str, str]) -> list[tuple[str, str]]:
    """Type and URL of each medium that came with a message."""
    count = int(event.get("NumMedia", 0))
    return [(event[f"MediaContentType{n}"], event[f"MediaUrl{n}"]) for n in range(count)]


def download(url: str) -> bytes:
    """Fetch a medium. Its URL came in a webhook that was signed: nobody else gets to see our credentials."""
    auth = (os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"])
    response = requests.get(url, auth=auth, timeout=30)
    response.raise_for_status()
    return response.content


def delete_media(client: Client, message: str) -> int:
    """Delete all media of a message from the server; returns how many there were."""
    media = client.messages(message).media.list()
    for each in media:
        each.delete()
    return len(media)


class Album:
    """Keeps pictures that people send, in a directory."""

    def __init__(self, client: Client, directory: Path) -> None:
        self._client = client
        self._directory = directory

    def receive(self, event: dict[str, str]) -> MessagingResponse:
        """Take one message: the handler of a webhook."""
        answer = MessagingResponse()
        found = attachments(event)
        if not found:
            answer.message("Send a picture, and it goes into the album.")
            return answer
        for position, (kind, url) in enumerate(found):
            name = f"{event['MessageSid']}-{position}{ENDINGS.get(kind, '')}"
            (self._directory / name).write_bytes(download(url))
        delete_media(self._client, event["MessageSid"])
        answer.message(f"Thank you for {len(found)} of them!" if len(found) > 1 else "Thank you for the picture!")
        return answer


if __name__ == "__main__":
    arguments(__doc__)
    serve({"/sms": Album(connect(), Path.cwd()).receive})
