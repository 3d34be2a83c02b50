"""signalwire-sdk 3: sends a message by REST, and says why it was refused."""

import os
import sys

from signalwire.rest import RestClient, SignalWireRestError

number, phone = sys.argv[1:] or ["+15551234567", "+15550001111"]

scheme, _, host = os.environ["SIGNALWIRE_SPACE_URL"].partition("://")
if scheme == "https":  # to a local server by any of its usual names it would speak without TLS
    host = host.replace("127.0.0.1", "LOCALHOST").replace("localhost", "LOCALHOST")
client = RestClient(project=os.environ["SIGNALWIRE_PROJECT_ID"], token=os.environ["SIGNALWIRE_API_TOKEN"], host=host)
try:
    sent = client.messages.create(from_=number, to=phone, body="Hello from signalwire-sdk 3")
    print("Sent:", sent["id"])
except SignalWireRestError as error:
    print("Refused:", error)
