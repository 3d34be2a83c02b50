"""A survey of two questions, in which each phone is where its last answer has left it."""

from dataclasses import dataclass, field

from arguments import arguments
from twilio.twiml.messaging_response import MessagingResponse
from webhooks import serve

BEST = 10


@dataclass
class Survey:
    """One phone's answers so far. `step` names the method that takes the next one."""

    step: str = "welcome"
    rating: int | None = None
    comment: str | None = None

    def reply(self, body: str) -> str:
        """Take what a person wrote, and return what to say."""
        said: str = getattr(self, self.step)(body.strip())
        return said

    def welcome(self, _body: str) -> str:
        """Begin, whatever was said."""
        self.step = "rate"
        return f"How did you like it, from 1 to {BEST}?"

    def rate(self, body: str) -> str:
        """Take the rating."""
        if not body.isdecimal() or not 1 <= int(body) <= BEST:
            return f"Please send a number from 1 to {BEST}."
        self.rating, self.step = int(body), "tell"
        return "Thanks! Tell us why, or send SKIP."

    def tell(self, body: str) -> str:
        """Take the comment."""
        self.comment, self.step = None if body.lower() == "skip" else body, "done"
        return "That was all. Thank you!"

    def done(self, _body: str) -> str:
        """Take no more."""
        return "We have your answers already. Thank you!"


@dataclass
class Surveys:
    """The surveys under way, by who writes to which of our numbers. A database, in earnest."""

    by_phone: dict[tuple[str, str], Survey] = field(default_factory=dict)

    def receive(self, event: dict[str, str]) -> MessagingResponse:
        """Handle a message."""
        answer = MessagingResponse()
        if "OptOutType" not in event:
            survey = self.by_phone.setdefault((event["From"], event["To"]), Survey())
            answer.message(survey.reply(event["Body"]))
        return answer


if __name__ == "__main__":
    arguments(__doc__)
    serve({"/sms": Surveys().receive})
