"""Remind somebody an hour before an appointment: python schedule.py MG... +15550001111 2030-01-31T09:30+01:00."""

from datetime import datetime, timedelta

from arguments import arguments
from parley_twilio import connect
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

BEFORE = timedelta(hours=1)
TOO_LATE = 30409


def remind(client: Client, service: str, recipient: str, appointment: datetime) -> str:
    """Schedule a reminder; returns its SID. It goes in 5 minutes at the earliest, and in 35 days at the latest."""
    message = client.messages.create(
        messaging_service_sid=service,
        to=recipient,
        body=f"See you at {appointment:%H:%M}. Reply STOP for no more reminders.",
        schedule_type="fixed",
        send_at=appointment - BEFORE,
    )
    return str(message.sid)


def call_off(client: Client, sid: str) -> bool:
    """Cancel a reminder. False when it has gone, or was canceled before."""
    try:
        client.messages(sid).update(status="canceled")
    except TwilioRestException as error:
        if error.code != TOO_LATE:
            raise
        return False
    return True


if __name__ == "__main__":
    service, recipient, appointment = arguments(__doc__, service=str, recipient=str, appointment=datetime.fromisoformat)
    print(remind(connect(), service, recipient, appointment))
