"""signalwire 2.1.1: sends a message by REST, and says why it was refused."""

import os
import sys

from signalwire.rest import Client
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient

number, phone = sys.argv[1:] or ["+15551234567", "+15550001111"]

http = TwilioHttpClient()
http.session.verify = os.environ["SSL_CERT_FILE"]  # it asks the environment for nobody else to trust
client = Client(
    os.environ["SIGNALWIRE_PROJECT_ID"],
    os.environ["SIGNALWIRE_API_TOKEN"],
    signalwire_space_url=os.environ["SIGNALWIRE_SPACE_URL"],  # TLS always
    http_client=http,
)
try:
    sent = client.messages.create(from_=number, to=phone, body="Hello from signalwire 2")
    print("Sent:", sent.sid)
except TwilioRestException as error:
    print("Refused:", error.msg)
