"""What the media of an outgoing message may be: as Twilio has it, or for SignalWire's messages as its carriers do."""

from typing import Final, Literal

import msgspec

from parley.lib.phone import line_type
from parley.model.message import Message

Which = Literal["lenient", "carrier"]
"""lenient: Twilio's limits, within which the guides' examples stay. carrier: SignalWire's own, for its messages."""


class MediaLimits(msgspec.Struct, frozen=True):
    """How many octets the media of one message may have together, and what their types begin with."""

    octets: int
    types: tuple[str, ...]


_DOCUMENTS: Final = (
    "application/ogg",
    "application/pdf",
    "application/vcard",
    "application/vnd.apple.pkpass",
    "text/calendar",
    "text/csv",
    "text/directory",
    "text/richtext",
    "text/rtf",
    "text/vcard",
    "text/x-vcard",
)
"""Without pages and scripts: what a URL gives that asks for a login is not what was to be sent."""
_PICTURES: Final = ("image/bmp", "image/gif", "image/jpeg", "image/jpg", "image/png", "image/tiff", "image/webp")
TWILIO: Final = MediaLimits(5 * 1024 * 1024, (*_PICTURES, "video/", "audio/", *_DOCUMENTS))
WHATSAPP: Final = MediaLimits(16 * 1024 * 1024, TWILIO.types)
LENIENT: Final = MediaLimits(TWILIO.octets, (*TWILIO.types, "text/plain"))
"""Twilio's limits for SignalWire's messages, which carry plain text too."""
_TYPES: Final = {
    "audio": ("mp4", "mpeg", "mpeg3", "ogg", "vorbis", "vnd.wav", "ac3", "amr", "midi"),
    "image": ("jpeg", "gif", "png", "bmp"),
    "text": ("plain", "calendar", "vcard", "x-vcard"),
    "video": ("mpeg", "mp4", "quicktime", "h264", "3gp"),
}
_CARRIER: Final = tuple(f"{kind}/{name}" for kind, names in _TYPES.items() for name in names)
_LOCAL: Final = MediaLimits(1_200_000, _CARRIER)
_TOLL_FREE: Final = MediaLimits(750_000, _CARRIER)
"""Source: SignalWire's pages on MMS: 1.2 MB from local numbers, 750 kB from toll-free ones."""


def limits_of(message: Message, which: Which) -> MediaLimits:
    """What a message's media are held to."""
    if message.kind == "whatsapp":
        return WHATSAPP
    if message.dialect != "signalwire":
        return TWILIO
    if which == "lenient":
        return LENIENT
    return _TOLL_FREE if line_type(message.sender or "") == "toll_free" else _LOCAL
