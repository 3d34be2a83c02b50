"""Feedback: the app tells what a recipient did with a message. Source: .../api/message-feedback-resource."""

from typing import Any

from msgspec import json

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.twilio import render
from parley.api.twilio.parameters import choice
from parley.api.twilio.paths import MESSAGE, check_account, resource_id
from parley.core.amend import Amending
from parley.lib.clock import Clock

_PARAMETERS = frozenset({"Outcome"})


class Feedback:
    """The one operation on feedback."""

    def __init__(self, amending: Amending, clock: Clock) -> None:
        self._amending = amending
        self._clock = clock

    async def create(self, call: Call) -> Reply:
        """Keep an outcome (`confirmed` unless given) with a message that was created with ProvideFeedback=true."""
        check_account(call)
        message = await self._amending.fetch(call.account.id, resource_id(call, MESSAGE, "MessageSid"))
        form = call.form()
        form.allow(_PARAMETERS)
        outcome = choice(form, "Outcome", ("confirmed", "unconfirmed")) or "confirmed"
        extras: dict[str, Any] = json.decode(message.extras) if message.extras else {}
        if not extras.get("provide_feedback"):
            raise Fault("invalid_parameter", "The message was not created with ProvideFeedback=true")
        now = self._clock.now()
        created_at = extras.get("feedback", {}).get("created_at", now)
        kept = {"outcome": outcome, "created_at": created_at, "updated_at": now}
        await self._amending.annotate(message, feedback=kept)
        return json_reply(200, render.feedback(message, outcome, created_at, now))
