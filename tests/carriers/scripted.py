"""A carrier that answers from a script, so that a test brings about whatever a real one may do, when it wants it."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Final, Literal

from parley.core.carrier import (
    Accepted,
    Answer,
    Inbound,
    Outcome,
    Rejected,
    ReportInbound,
    ReportReceipts,
    Submission,
    Throttled,
    Unreachable,
)
from parley.model.message import Status
from parley.model.receipt import Receipt

Step = Outcome | Literal["hold", "raise", "forget", "twice"]
"""hold: answer when the test says so. raise: fail the whole submit here. forget, twice: break the contract."""

_PATIENCE_S: Final = 30


class ScriptedCarrier:
    """Answers each submission by the next step of its recipient's script, and as usual when there is none left."""

    name = "scripted"

    def __init__(self, *, deduplicates: bool = False, refs: bool = True) -> None:
        self.deduplicates = deduplicates
        self._refs = refs
        self.script: dict[str, deque[Step]] = defaultdict(deque)
        self.usual: Callable[[Submission], Step] = self.accepts
        self.submitted: list[Submission] = []
        """Every submit of every message, in order."""
        self.held: dict[bytes, Callable[[Outcome], None]] = {}
        """What waits for the test's answer, by message id."""
        self.left: set[bytes] = set()
        """What may have been sent."""
        self.repeated: list[bytes] = []
        """What was submitted though it may have been sent."""
        self._report: ReportReceipts | None = None
        self._inbound: ReportInbound | None = None
        self._happened = asyncio.Event()

    def plan(self, recipient: str, *steps: Step) -> None:
        """What becomes of the next submits to a recipient."""
        self.script[recipient].extend(steps)

    def refs_of(self, submission: Submission) -> tuple[str, ...]:
        """Our names of a message's segments, the same at each submit; none when receipts carry its key."""
        if not self._refs:
            return ()
        return tuple(f"{submission.key[1].hex()}/{n}" for n in range(submission.segments))

    def accepts(self, submission: Submission) -> Accepted:
        """The answer that takes it."""
        return Accepted(self.refs_of(submission))

    def submits_of(self, message_id: bytes) -> list[Submission]:
        """Every submit of one message."""
        return [submission for submission in self.submitted if submission.key[1] == message_id]

    async def until_submitted(self, message_id: bytes, times: int = 1) -> None:
        """Wait until a message was submitted so often."""
        async with asyncio.timeout(_PATIENCE_S):
            while len(self.submits_of(message_id)) < times:
                self._happened.clear()
                await self._happened.wait()

    def release(self, message_id: bytes, outcome: Outcome) -> None:
        """Answer what is held."""
        self.held.pop(message_id)(outcome)

    async def report(
        self,
        submission: Submission,
        status: Status,
        *,
        segment: int = 0,
        at: int = 1_750_000_000_000_000,
        error_code: int | None = None,
    ) -> None:
        """Bring a receipt, by the segment's ref or the message's key."""
        assert self._report is not None
        refs = self.refs_of(submission)
        ref, key = (refs[segment], None) if refs else (None, submission.key)
        await self._report([Receipt(self.name, status, at, ref, key, error_code)])

    async def bring(self, sender: str, recipient: str, body: str, ref: str | None = None) -> bytes:
        """Bring an inbound message; its id."""
        assert self._inbound is not None
        message_id = await self._inbound(Inbound(self.name, sender, recipient, body, ref=ref))
        assert message_id is not None, "somebody takes it"
        return message_id

    async def start(self, receipts: ReportReceipts, inbound: ReportInbound) -> None:
        self._report = receipts
        self._inbound = inbound

    async def submit(self, batch: Sequence[Submission], answer: Answer) -> None:
        waiting: list[asyncio.Future[None]] = []
        for submission in batch:
            self.submitted.append(submission)
            self._happened.set()
            script = self.script[submission.recipient]
            step = script.popleft() if script else self.usual(submission)
            if submission.key[1] in self.left:
                self.repeated.append(submission.key[1])
            if not isinstance(step, Throttled | Unreachable | Rejected):
                self.left.add(submission.key[1])
            match step:
                case "raise":
                    raise ConnectionResetError("the far side went away")
                case "forget":
                    pass
                case "twice":
                    answer([(submission, self.accepts(submission))])
                    answer([(submission, self.accepts(submission))])
                case "hold":
                    waiting.append(self._hold(submission, answer))
                case outcome:
                    answer([(submission, outcome)])
        if waiting:
            await asyncio.wait(waiting)

    def _hold(self, submission: Submission, answer: Answer) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def release(outcome: Outcome) -> None:
            if isinstance(outcome, Throttled | Unreachable | Rejected):
                self.left.discard(submission.key[1])
            answer([(submission, outcome)])
            done.set_result(None)

        self.held[submission.key[1]] = release
        return done

    async def check(self) -> str | None:
        return None

    async def close(self) -> None:
        pass
