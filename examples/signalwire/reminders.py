"""Reminders from a template, in each customer's own words and daytime."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from string import Template
from zoneinfo import ZoneInfo

from space import Space

REMINDER = Template("Hi $name, see you on $day at $time. Reply C to confirm, STOP to hear no more of us.")


@dataclass(frozen=True)
class Appointment:
    """Who comes when. `at` is aware of its zone; `zone` is where the customer is."""

    name: str
    phone: str
    at: datetime
    zone: str


def text(appointment: Appointment) -> str:
    """The reminder, with the time as the customer's clock shows it."""
    at = appointment.at.astimezone(ZoneInfo(appointment.zone))
    return REMINDER.substitute(name=appointment.name, day=f"{at:%A}", time=f"{at:%H:%M}")


def is_quiet(zone: str, now: datetime) -> bool:
    """Whether it is between 21:00 and 8:00 there."""
    return not 8 <= now.astimezone(ZoneInfo(zone)).hour < 21


def remind(space: Space, sender: str, appointments: Iterable[Appointment], now: datetime) -> list[Appointment]:
    """Send what may be sent now, and return the rest, for later."""
    later = []
    for each in appointments:
        if is_quiet(each.zone, now):
            later.append(each)
        else:
            space.send(sender, each.phone, text(each))
    return later
