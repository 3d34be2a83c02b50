"""A messaging service: what several senders share, and who they are. Source: messaging v1, Service and its pool."""

from typing import Literal

import msgspec

SenderKind = Literal["phone_number", "short_code", "alpha", "destination_alpha", "channel"]
"""phone_number, short_code: owned numbers. alpha: a name for wherever names are allowed. destination_alpha: a name for
one country (`country` empty: for all). channel: an address of WhatsApp."""


class QuietHours(msgspec.Struct, frozen=True):
    """When recipients are left alone, by their own clocks. Ours: Twilio has none (docs/extensions.md)."""

    start: str
    """`HH:MM`, from then on; later than `end` it spans midnight."""
    end: str
    """`HH:MM`, until then."""
    action: Literal["hold", "refuse"] = "hold"
    """hold: sent when they end. refuse: not taken."""


class KeywordReply(msgspec.Struct, frozen=True):
    """Keywords of one kind in one language, and the answer to them. Ours (docs/extensions.md)."""

    type: Literal["STOP", "START", "HELP"]
    keywords: tuple[str, ...]
    """In capitals. The whole message is compared."""
    reply: str = ""
    """Empty: no answer."""
    language: str = ""
    """Of BCP 47, for the record only; empty for any."""
    country: str = ""
    """ISO 3166 country of the recipients that it is for; empty for all."""


class Service(msgspec.Struct, frozen=True):
    """The settings of a messaging service, with Twilio's defaults."""

    friendly_name: str
    inbound_request_url: str | None = None
    inbound_method: str = "POST"
    fallback_url: str | None = None
    fallback_method: str = "POST"
    status_callback: str | None = None
    sticky_sender: bool = True
    mms_converter: bool = True
    smart_encoding: bool = True
    scan_message_content: Literal["inherit", "enable", "disable"] = "inherit"
    fallback_to_long_code: bool = True
    area_code_geomatch: bool = True
    synchronous_validation: bool = False
    validity_period: int = 36_000
    usecase: str = "undeclared"
    use_inbound_webhook_on_number: bool = False
    """The number's own webhook is called, not the service's."""
    quiet_hours: QuietHours | None = None
    keywords: tuple[KeywordReply, ...] = ()
    """Instead of the platform's own, where there are any."""
    link_domain_id: bytes | None = None
    """The domain that its short links stand on; None for the server's own."""


class PoolSender(msgspec.Struct, frozen=True):
    """One sender of a service. The id of an owned number's row is the number's own, as Twilio names it by its PN.

    The resource's parent is the service. Its name is the address for owned numbers and channels, which are in one
    service at most; of alphanumeric senders a service has one of a kind for a country, which is what names them.
    """

    kind: SenderKind
    address: str
    """As the APIs spell it: `+15551234567`, `12345`, `ACME`, `whatsapp:+15551234567`."""
    country: str = ""
    """ISO 3166 country: the number's own, or the one that an alphanumeric sender is for."""
