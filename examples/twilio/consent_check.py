"""Ask whether somebody has opted out before writing to them. Twilio has no such question; Parley answers it at
/admin/consents: python consent_check.py +15551234567 +15550001111.
"""

import os

import requests
from arguments import arguments


def has_opted_out(sender: str, recipient: str) -> bool:
    """Tell whether `recipient` wants nothing more from `sender`, a number or a messaging service's SID."""
    auth = (os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"])
    url = f"{os.environ['PARLEY_URL']}/admin/consents/{sender}/{recipient}"
    response = requests.get(url, auth=auth, timeout=30)
    response.raise_for_status()
    return bool(response.json()["opted_out"])


if __name__ == "__main__":
    print("opted out" if has_opted_out(*arguments(__doc__, sender=str, recipient=str)) else "may be written to")
