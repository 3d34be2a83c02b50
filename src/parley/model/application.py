"""An application: webhooks under one name, which numbers and messages may point to. Source: api v2010, Application."""

import msgspec


class Application(msgspec.Struct, frozen=True):
    """What an application calls. The resource's id is the one of its `AP` sid. URLs are None until set."""

    friendly_name: str
    sms_url: str | None = None
    """Hears of messages to the numbers whose SmsApplicationSid names this application."""
    sms_method: str = "POST"
    sms_fallback_url: str | None = None
    sms_fallback_method: str = "POST"
    sms_status_callback: str | None = None
    """The older name of `message_status_callback`."""
    message_status_callback: str | None = None
    """Told what becomes of messages that were sent with this ApplicationSid. Always by POST."""
    voice_url: str | None = None
    voice_method: str = "POST"
    voice_fallback_url: str | None = None
    voice_fallback_method: str = "POST"
    voice_caller_id_lookup: bool = False
    status_callback: str | None = None
    """Of calls; like all of voice, it is kept and told again, and never called."""
    status_callback_method: str = "POST"
    public_application_connect_enabled: bool = False

    @property
    def message_callback(self) -> str | None:
        """Where the states of messages are told."""
        return self.message_status_callback or self.sms_status_callback
