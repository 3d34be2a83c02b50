"""The renderer contract: how a dialect words the requests that it makes, and reads the answers to them."""

from collections.abc import Collection, Generator, Iterable, Sequence
from typing import Protocol

import msgspec

from parley.core.refusal import Reason
from parley.model.account import Account
from parley.model.callback import Callback
from parley.model.message import Media, Message, Status
from parley.webhooks.client import Answer, FetchFailed


class Rendered(msgspec.Struct, frozen=True):
    """One request, signed and ready: the URL as it goes on the wire, without fragment."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


class Failure(msgspec.Struct, frozen=True):
    """What went wrong at the first URL, as the fallback URL is told."""

    code: int
    url: str


class Say(msgspec.Struct, frozen=True):
    """Send a message. Unset addresses mean: back to who wrote, from the number that was written to."""

    body: str
    media: tuple[str, ...] = ()
    to: str | None = None
    sender: str | None = None
    status_callback: str | None = None
    action: str | None = None
    action_method: str = "POST"


class Redirect(msgspec.Struct, frozen=True):
    """Fetch the next document there, with the same parameters; what followed is not reached."""

    url: str
    method: str = "POST"


class Remark(msgspec.Struct, frozen=True):
    """Note what is wrong with the document, and go on: the rest of it is carried out. `code` is Twilio's number."""

    code: int
    reason: str


class Fetch(msgspec.Struct, frozen=True):
    """Make a request, and hand its answer back, whatever its status; or why there is none."""

    request: Rendered
    total_s: float
    account_id: bytes
    """Whose script asks for it: the account sees a host that is in trouble."""


Verb = Say | Redirect | Fetch | Remark
Outcome = Message | Answer | FetchFailed | None
"""What became of a verb: of Say, the message, or None for one that was refused; of Fetch, the answer or the failure."""
Script = Generator[Verb, Outcome, None]
"""What an answer asks for, one verb after another; each is given the outcome of the one before."""


def script(verbs: Iterable[Verb]) -> Script:
    """Verbs that ask for no outcome."""
    for verb in verbs:  # noqa: UP028 - a list takes no outcomes
        yield verb


class UnreadableAnswer(Exception):
    """An answer that is no document of the dialect. `code` is Twilio's number of the fault."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Renderer(Protocol):
    """One dialect's side of webhooks. Pure: values in, values out, no I/O."""

    @property
    def states(self) -> Collection[Status]:
        """The changes of state that status callbacks tell of."""
        ...

    def status(self, account: Account, message: Message, callback: Callback) -> Rendered:
        """The request that tells of `callback.status` (which may be older than the message's)."""
        ...

    def inbound(
        self,
        account: Account,
        message: Message,
        media: Sequence[Media],
        callback: Callback,
        *,
        url: str,
        method: str,
        extra: Sequence[tuple[str, str]] = (),
        failure: Failure | None = None,
    ) -> Rendered:
        """The request that tells of an inbound message, to `url`: the number's, the fallback, a redirect's or action's.

        `extra` is what an `action` URL is told besides; `failure` is what the fallback URL is told.
        """
        ...

    def action_parameters(self, sent: Message) -> Sequence[tuple[str, str]]:
        """What an action URL is told of the reply that was sent, beside the inbound message."""
        ...

    def refusal(self, reason: Reason) -> int:
        """The number that the record keeps of a reply that was refused."""
        ...

    def read(
        self, account: Account, message: Message, media: Sequence[Media], callback: Callback, answer: Answer
    ) -> Script:
        """What the answer to an inbound webhook asks for. Raises UnreadableAnswer, as may the script on its way."""
        ...
