"""A sender on a channel other than SMS, as messaging v2 registers it. The channel is WhatsApp."""

from typing import Annotated, Literal

import msgspec

from parley.model.registry import Objection, Verdict

Text = Annotated[str, msgspec.Meta(max_length=4000)]


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How it is registered with the channel. Kept and told again."""

    waba_id: Text | None = None
    verification_method: Literal["sms", "voice"] | None = None
    voice_application_sid: Text | None = None
    account_type: Literal["ISV", "ISVSubAccount", ""] | None = None


class Webhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who hears of its messages, in place of its number's webhooks."""

    callback_url: Text | None = None
    callback_method: Literal["POST"] | None = None
    fallback_url: Text | None = None
    fallback_method: Literal["POST"] | None = None
    status_callback_url: Text | None = None
    status_callback_method: Literal["POST"] | None = None


class Website(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A website of the business."""

    website: Text
    label: Text = "Website"


class Email(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mail address of the business."""

    email: Text
    label: Text = "Email"


class PhoneNumber(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A phone of the business."""

    phone_number: Text
    label: Text = "Phone"


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What recipients see of the business. Kept and told again."""

    name: Text | None = None
    about: Text | None = None
    address: Text | None = None
    description: Text | None = None
    logo_url: Text | None = None
    banner_url: Text | None = None
    privacy_url: Text | None = None
    terms_of_service_url: Text | None = None
    accent_color: Text | None = None
    vertical: Text | None = None
    websites: tuple[Website, ...] | None = None
    emails: tuple[Email, ...] | None = None
    phone_numbers: tuple[PhoneNumber, ...] | None = None


class ChannelSender(msgspec.Struct, frozen=True):
    """One address on a channel. The resource's name is the address, which sends once the reviewers approved of it."""

    address: str
    """As the APIs spell it: `whatsapp:+15551234567`."""
    configuration: Configuration = Configuration()
    webhook: Webhook = Webhook()
    profile: Profile = Profile()
    verdict: Verdict = "pending"
    objections: tuple[Objection, ...] = ()
