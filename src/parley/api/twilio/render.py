"""Twilio's resources as JSON values: every field that its OpenAPI document declares, in its spellings."""

import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import json
from msgspec.structs import replace

from parley.api.twilio.delivery_errors import text_of
from parley.lib.phone import line_type
from parley.model.account import Account
from parley.model.message import Media, Message
from parley.model.number import Number, application_of

VERSION: Final = "2010-04-01"

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_OF_NUMBER: Final = {
    "voice_url": "",
    "voice_method": "POST",
    "voice_fallback_url": "",
    "voice_fallback_method": "POST",
    "voice_caller_id_lookup": False,
    "voice_receive_mode": "voice",
    "emergency_status": "Inactive",
    "emergency_address_sid": None,
    "address_sid": None,
    "identity_sid": None,
    "bundle_sid": None,
    "trunk_sid": None,
    "voice_application_sid": None,
}
"""What a number's `extras` may hold under these names, and what it is until set."""

_OF_ACCOUNT: Final = {
    "applications": "Applications",
    "available_phone_numbers": "AvailablePhoneNumbers",
    "balance": "Balance",
    "incoming_phone_numbers": "IncomingPhoneNumbers",
    "keys": "Keys",
    "messages": "Messages",
    "notifications": "Notifications",
    "outgoing_caller_ids": "OutgoingCallerIds",
    "short_codes": "SMS/ShortCodes",
    "signing_keys": "SigningKeys",
    "usage": "Usage/Records",
}
"""What an account has below it, and where."""


class MessageResource(msgspec.Struct, rename={"from_": "from"}):
    """A message. Source: twilio.com/docs/messaging/api/message-resource."""

    sid: str
    account_sid: str
    messaging_service_sid: str | None
    to: str
    from_: str | None
    body: str
    status: str
    direction: str
    num_segments: str
    num_media: str
    price: str | None
    price_unit: str
    error_code: int | None
    error_message: str | None
    api_version: str
    date_created: str
    date_updated: str
    date_sent: str | None
    uri: str
    subresource_uris: dict[str, str]


def message_sid(message: Message) -> str:
    """`MM...` of a message with media or sent as MMS, else `SM...`."""
    return f"{'MM' if message.num_media or message.kind == 'mms' else 'SM'}{message.id.hex()}"


def segments_of(message: Message) -> str:
    """How many segments a message takes; an MMS is one."""
    return "1" if message.kind == "mms" else str(message.segments)


def message(message: Message) -> MessageResource:
    """A message as its resource. A service's has no segments until it has a sender."""
    account_sid = f"AC{message.account_id.hex()}"
    sid = message_sid(message)
    at = f"/{VERSION}/Accounts/{account_sid}/Messages/{sid}"
    code = message.error_code
    created = date(message.created_at)
    return MessageResource(
        sid,
        account_sid,
        None if message.service_id is None else f"MG{message.service_id.hex()}",
        message.recipient,
        message.sender,
        message.body,
        message.status,
        message.direction,
        "0" if message.service_id is not None and message.sender is None else segments_of(message),
        str(message.num_media),
        None if message.price is None or message.sent_at is None else f"-{message.price / 1_000_000:.5f}",
        "USD",
        code,
        None if code is None else text_of(code),
        VERSION,
        created,
        created if message.updated_at == message.created_at else date(message.updated_at),
        None if message.sent_at is None else date(message.sent_at),
        f"{at}.json",
        {"media": f"{at}/Media.json", "feedback": f"{at}/Feedback.json"},
    )


def created(taken: Message) -> MessageResource:
    """A message as the answer to its creation shows it, also when it is asked again: a service's has no sender yet."""
    if taken.status == "scheduled":
        return message(taken)
    if taken.service_id is None:
        # What is sure not to arrive has ended as it was taken, which its callback tells.
        has_ended = taken.error_code is not None
        return message(
            replace(taken, status="queued", updated_at=taken.created_at, error_code=None) if has_ended else taken
        )
    return message(
        replace(taken, status="accepted", sender=None, updated_at=taken.created_at, sent_at=None, error_code=None)
    )


def media(message: Message, item: Media) -> dict[str, Any]:
    """An attachment. Source: twilio.com/docs/messaging/api/media-resource."""
    return {
        "sid": f"ME{item.id.hex()}",
        "account_sid": f"AC{item.account_id.hex()}",
        "parent_sid": message_sid(message),
        "content_type": item.content_type,
        "date_created": date(item.created_at),
        "date_updated": date(item.created_at),
        "uri": f"{media_path(message, item)}.json",
    }


def account_path(account_id: bytes) -> str:
    """Where an account's resources are, relative to the origin and prefix of the API."""
    return f"/{VERSION}/Accounts/AC{account_id.hex()}"


def message_path(message: Message) -> str:
    """Where a message is, without `.json`."""
    return f"{account_path(message.account_id)}/Messages/{message_sid(message)}"


def media_path(message: Message, item: Media) -> str:
    """Where an attachment's octets are; with `.json`, its resource."""
    return f"{message_path(message)}/Media/ME{item.id.hex()}"


def feedback(message: Message, outcome: str, created_at: int, updated_at: int) -> dict[str, Any]:
    """What the recipient did, as the app tells it. Source: twilio.com/docs/messaging/api/message-feedback-resource."""
    return {
        "account_sid": f"AC{message.account_id.hex()}",
        "message_sid": message_sid(message),
        "outcome": outcome,
        "date_created": date(created_at),
        "date_updated": date(updated_at),
        "uri": f"{message_path(message)}/Feedback.json",
    }


def number(number: Number) -> dict[str, Any]:
    """A number. Source: twilio.com/docs/phone-numbers/api/incomingphonenumber-resource."""
    account_sid, sid = f"AC{number.account_id.hex()}", f"PN{number.id.hex()}"
    kept: Mapping[str, Any] = json.decode(number.extras) if number.extras else {}
    application_id = application_of(number)
    return {
        "sid": sid,
        "account_sid": account_sid,
        "friendly_name": number.name,
        "phone_number": number.address,
        "capabilities": {"voice": True, "sms": bool(number.can_sms), "mms": bool(number.can_mms), "fax": False},
        "sms_url": number.request_url or "",
        "sms_method": number.request_method,
        "sms_fallback_url": number.fallback_url or "",
        "sms_fallback_method": number.fallback_method,
        "sms_application_sid": None if application_id is None else f"AP{application_id.hex()}",
        "status_callback": number.status_callback or "",
        "status_callback_method": number.status_callback_method,
        **{name: kept.get(name, unset) for name, unset in _OF_NUMBER.items()},
        "emergency_address_status": "unregistered",
        "address_requirements": "none",
        "beta": False,
        "origin": "twilio",
        "status": "in-use",
        "type": _type(number.address),
        "api_version": VERSION,
        "date_created": date(number.created_at),
        "date_updated": date(number.updated_at),
        "uri": f"/{VERSION}/Accounts/{account_sid}/IncomingPhoneNumbers/{sid}.json",
    }


def account(account: Account, auth_token: str | None) -> dict[str, Any]:
    """An account. Source: twilio.com/docs/iam/api/account."""
    sid = f"AC{account.id.hex()}"
    at = f"/{VERSION}/Accounts/{sid}"
    return {
        "sid": sid,
        "owner_account_sid": f"AC{(account.owner_id or account.id).hex()}",
        "friendly_name": account.name,
        "status": account.status,
        "type": "Full",
        "auth_token": auth_token,
        "date_created": date(account.created_at),
        "date_updated": date(account.updated_at),
        "uri": f"{at}.json",
        "subresource_uris": {name: f"{at}/{path}.json" for name, path in _OF_ACCOUNT.items()},
    }


def national(address: str) -> str:
    """A number as people write it, which is its name until it is given one: `(555) 123-4567` in North America."""
    if address.startswith("+1") and len(address) == 12:
        return f"({address[2:5]}) {address[5:8]}-{address[8:]}"
    return address


def date(at: int) -> str:
    """A time as RFC 2822 in UTC, to the second: `Thu, 19 Jun 2025 10:00:00 +0000`."""
    return _date(at // 1_000_000)


@lru_cache(maxsize=4096)
def _date(second: int) -> str:
    t = time.gmtime(second)
    clock = f"{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02}"
    return f"{_DAYS[t.tm_wday]}, {t.tm_mday:02} {_MONTHS[t.tm_mon - 1]} {t.tm_year:04} {clock} +0000"


def _type(address: str) -> str:
    if not address.startswith("+"):
        return "short-code"
    kind = line_type(address)
    return {"toll_free": "toll-free", "mobile": "mobile"}.get(kind, "local")
