"""A messaging service with a pool of numbers, made through the API."""

import base64
import http.client
from urllib.parse import urlencode

import msgspec

from tests.node import ACCOUNT_SID, AUTH_TOKEN

_AREAS = (212, 303, 415, 512, 617, 702)


def make(port: int, size: int) -> str:
    """Make a service of so many numbers, spread over the recipients' area codes; its SID."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    credentials = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/x-www-form-urlencoded"}

    def create(path: str, **fields: str) -> str:
        connection.request("POST", path, urlencode(fields), headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 201:
            raise RuntimeError(body.decode())
        return str(msgspec.json.decode(body)["sid"])

    service = create("/messaging/v1/Services", FriendlyName="Bench")
    for n in range(size):
        number = f"+1{_AREAS[n % len(_AREAS)]}555{n:04d}"
        sid = create(f"/2010-04-01/Accounts/{ACCOUNT_SID}/IncomingPhoneNumbers.json", PhoneNumber=number)
        create(f"/messaging/v1/Services/{service}/PhoneNumbers", PhoneNumberSid=sid)
    connection.close()
    return service
