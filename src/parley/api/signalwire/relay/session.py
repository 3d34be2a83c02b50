"""One client's connection: what it asks, what it is told, and whether it is still there."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

import msgspec
import structlog
from starlette.types import Receive, Scope, Send

from parley.api.http.fault import Fault
from parley.api.http.websocket import ABORT
from parley.api.signalwire.media import MediaLinks
from parley.api.signalwire.relay import events, frames, sending
from parley.api.signalwire.relay.credentials import authenticated, authorization, signature, unauthorized, welcome
from parley.api.signalwire.relay.frames import Frame, RpcError
from parley.api.signalwire.relay.generations import GENERATIONS, Generation
from parley.api.signalwire.relay.outbox import Outbox
from parley.core.accounts import Accounts
from parley.core.limits import Busy, Limits
from parley.core.refusal import Refused
from parley.core.relay import Relay
from parley.core.send import Sending
from parley.lib.clock import Clock
from parley.lib.ids import Ids, to_uuid
from parley.lib.randomness import Randomness
from parley.model.message import Media, Message
from parley.model.relay import MOST_CONTEXTS, RelayEvent
from parley.store import StoreUnavailable
from parley.webhooks.guard import Guard

log = structlog.get_logger(__name__)

CONNECTS_WITHIN_S: Final = 15.0
"""A connection that says nothing of who it is for so long is closed."""
MOST_SENDS: Final = 64
"""Sends of one client under way at once; it is not read on meanwhile."""
RECHECK_S: Final = 30.0
"""A connected client's credentials are looked at again so often, and at each send."""
MISSED: Final = 2
"""Pings unanswered, after which a client is taken for gone."""
PATIENCE: Final = 3
"""Pings' intervals that an event, or anything else, may take to be read."""
SILENCE: Final = 5
"""Pings' intervals that a client of the older generation, which pings by itself every ten seconds, may be silent."""
_POLICY: Final = 1008
_RESTART: Final = 1012


class Parts(msgspec.Struct, frozen=True):
    """What all sessions of a node share."""

    accounts: Accounts
    relay: Relay
    sending: Sending
    limits: Limits
    guard: Guard
    links: MediaLinks
    clock: Clock
    ids: Ids
    randomness: Randomness
    public_url: str
    ping_s: float
    default_context: str | None
    """Received by clients of 3.x and the like that name no context when they connect, and have no later way to."""


class Session:
    """A connection, from its opening to its end. It is a `core.relay.Subscriber` from its `connect` on."""

    __slots__ = (
        "_abort", "_acks", "_credentials", "_ended", "_generation", "_heard_at", "_inflight", "_is_restarting",
        "_outbox", "_parts", "_pings", "_receive", "_recheck_at", "_send", "_tasks", "_timer", "_unanswered",
        "account_id", "contexts", "held", "next_tick_at", "protocol",
    )  # fmt: skip

    def __init__(self, parts: Parts, scope: Scope, receive: Receive, send: Send) -> None:
        self._parts = parts
        self._receive = receive
        self._send = send
        self._abort: Callable[[], None] = scope.get(ABORT, lambda: None)
        self._generation: Generation | None = None
        self._acks = False
        self._credentials: Any = None
        self._recheck_at = 0.0
        self._pings = 0
        self._heard_at = parts.clock.monotonic()
        self._ended: str | None = None
        self._is_restarting = False
        self._outbox = Outbox(send, parts.clock, self._written)
        self._inflight: dict[str, tuple[RelayEvent, float]] = {}
        self._unanswered: dict[bytes, list[tuple[str, str]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.account_id = b""
        self.protocol = ""
        self.contexts: set[str] = set()
        self.held = 0
        self.next_tick_at = 0.0

    @property
    def is_connected(self) -> bool:
        """Whether the client has said who it is, and is there."""
        return self._generation is not None and self._ended is None

    async def run(self, connected: Callable[["Session"], None]) -> None:
        """Serve the connection until it ends. `connected` hears when the client has said who it is."""
        await self._receive()
        loop = asyncio.get_running_loop()
        try:
            await self._send({"type": "websocket.accept"})
            self._timer = loop.call_later(CONNECTS_WITHIN_S, self.end, "no_connect")
            while (message := await self._receive())["type"] == "websocket.receive":
                text = message.get("text")
                if text is None:
                    self.end("not_text")
                elif self._ended is None:
                    await self._take(text, connected)
        except OSError:
            pass  # the client is gone
        finally:
            self._stop_timer()
            self._part("gone")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # ------------------------------------------------------------------ what the client says

    async def _take(self, text: str, connected: Callable[["Session"], None]) -> None:
        self._heard_at = self._parts.clock.monotonic()
        try:
            frame = frames.read(text)
        except frames.Unreadable:
            self._put(frames.failure(None, frames.INVALID_REQUEST, "A frame is one JSON-RPC 2.0 object"))
            return
        except frames.BadParams as bad:
            self._put(frames.failure(bad.id, frames.INVALID_PARAMS, str(bad)))
            return
        if frame.method is None:
            self._take_answer(frame)
            return
        try:
            if self._generation is None:
                await self._connect(frame, connected)
            else:
                await self._asked(self._generation, frame)
        except RpcError as error:
            self._put(frames.failure(frame.id, error.code, error.message))
        except Busy as busy:
            self._put(frames.failure(frame.id, frames.UNAVAILABLE, busy.reason))
        except StoreUnavailable as error:
            log.warning("the database is away", method=frame.method[:100], error=str(error))
            self._put(frames.failure(frame.id, frames.UNAVAILABLE, "The message store is not available"))

    def _take_answer(self, frame: Frame) -> None:
        id_ = str(frame.id)
        if id_ in self._inflight:
            event, _ = self._inflight.pop(id_)
            self._parts.relay.took(self, [event.seq])
        else:
            self._pings = 0

    async def _connect(self, frame: Frame, connected: Callable[["Session"], None]) -> None:
        generation = GENERATIONS.get(frame.method or "")
        if generation is None:
            raise RpcError(frames.INVALID_REQUEST, "A connection begins with signalwire.connect")
        self._parts.limits.arrive(is_write=True)
        try:
            self._credentials = frame.params.get("authentication")
            account = await authenticated(self._parts.accounts, self._credentials)
            self._recheck_at = self._parts.clock.monotonic() + RECHECK_S
            contexts = frames.names(frame.params, "contexts", MOST_CONTEXTS)
            self._acks = generation.pings and frame.params.get("event_acks") is True
            default = self._parts.default_context
            if default is not None and not contexts and generation.pings and not self._names_later(frame.params):
                contexts = [default]
            named = frame.params.get("protocol") if generation.pings else None
            self.account_id = account.id
            new = f"signalwire_{signature(account)}_{self._new_id()}_{self._parts.randomness.token(6)}"
            is_restored = await self._parts.relay.enter(self, contexts, named if isinstance(named, str) else None, new)
        finally:
            self._parts.limits.leave(is_write=True)
        self._stop_timer()
        self._generation = generation
        if self._ended is not None:  # it went while it was let in
            self._parts.relay.leave(self)
            return
        self._put(frames.result(frame.id, welcome(account, self._new_id(), self.protocol, is_restored=is_restored)))
        if generation.pings:
            state = {"authorization_state": f"{self._new_id()}:{signature(account)}"}
            told = {"event_type": "signalwire.authorization.state", "params": state}
            self._put(frames.request(self._new_id(), "signalwire.event", told))
        connected(self)

    def _names_later(self, params: Mapping[str, Any]) -> bool:
        """Whether it is realtime-api 4, which connects without contexts and receives those that it listens to."""
        version = params.get("version")
        return self._acks and isinstance(version, dict) and version.get("major") == 3

    async def _reauthenticate(self, given: Any) -> Mapping[str, Any]:
        """Go on with other credentials of the same account. Raises RpcError, and goes on with those that it has."""
        account = await authenticated(self._parts.accounts, given)
        if account.id != self.account_id:
            raise unauthorized()
        self._credentials = given
        return {"authorization": authorization(account)}

    async def _asked(self, generation: Generation, frame: Frame) -> None:
        method, params = generation.asked(frame, self.protocol)
        if method == "messaging.send":
            while len(self._tasks) >= MOST_SENDS:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            self._start(self._send_message(generation, frame, params))
            return
        result = await self._answer(method, params)
        self._put(frames.result(frame.id, generation.answer(frame, result)))

    async def _answer(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        match method:
            case "signalwire.ping" | "blade.ping":
                return {"timestamp": params.get("timestamp", self._parts.clock.now() / 1_000_000)}
            case "signalwire.receive":
                return await self._listen_to(frames.names(params, "contexts", MOST_CONTEXTS))
            case "signalwire.unreceive":
                await self._parts.relay.unreceive(self, frames.names(params, "contexts", MOST_CONTEXTS))
                return {"code": "200", "message": "Receiving these contexts no more"}
            case "signalwire.reauthenticate":
                return await self._reauthenticate(params.get("authentication"))
            case "setup":
                return {"protocol": self.protocol}
            case "blade.subscription":
                channels = params.get("channels", [])
                return {"protocol": self.protocol, "command": params.get("command"), "subscribe_channels": channels}
            case _:
                raise AssertionError(f"{method} is a method of some generation's")

    async def _listen_to(self, contexts: list[str]) -> Mapping[str, Any]:
        if not contexts:
            return {"code": "422", "message": "contexts is required"}
        if len(self.contexts.union(contexts)) > MOST_CONTEXTS:
            return {"code": "422", "message": f"A session receives at most {MOST_CONTEXTS} contexts"}
        await self._parts.relay.receive(self, contexts)
        return {"code": "200", "message": "Receiving all inbound related to the requested contexts"}

    async def _send_message(self, generation: Generation, frame: Frame, params: Mapping[str, Any]) -> None:
        """Take a message and answer; only then is the client told of its states."""
        message_id = self._parts.ids.new()
        self._unanswered[message_id] = []
        try:
            result = await self._taken(message_id, params)
        except StoreUnavailable as error:
            log.warning("the database is away", method="messaging.send", error=str(error))
            result = {"code": "503", "message": "The message store is not available; try again shortly"}
        except Exception:
            log.exception("request failed", method="messaging.send")
            result = {"code": "500", "message": "Internal error"}
        self._put(frames.result(frame.id, generation.answer(frame, result)))
        for text, id_ in self._unanswered.pop(message_id):
            self._put(text, id_)
        if result["code"] == "401":
            self.end("unauthorized")

    async def _taken(self, message_id: bytes, params: Mapping[str, Any]) -> Mapping[str, Any]:
        parts = self._parts
        try:
            parts.limits.arrive(is_write=True)
            try:
                parts.limits.enter(self.account_id, is_write=True)
                try:
                    account = await authenticated(parts.accounts, self._credentials)  # they may have ended
                    first = set() if parts.relay.to_all else self.contexts  # of all, nobody is first
                    draft = sending.read_draft(account, params, (self.protocol, first), parts.guard)
                    await parts.sending.send(msgspec.structs.replace(draft, id=message_id))
                finally:
                    parts.limits.depart(self.account_id)
            finally:
                parts.limits.leave(is_write=True)
        except (Fault, Refused, Busy) as error:
            return sending.refusal(error)
        except RpcError:
            return {"code": "401", "message": "Unauthorized"}
        return {"code": "200", "message": "Message accepted", "message_id": to_uuid(message_id)}

    # ------------------------------------------------------------------ what the client is told

    def tell(self, event: RelayEvent, message: Message, media: Sequence[Media]) -> None:
        """Send an event; `Relay.took` or `Relay.returned` follows."""
        assert self._generation is not None, "it takes events from its connect on"
        parts = self._parts
        urls = [parts.links.url(parts.public_url, item, parts.clock.now()) for item in media]
        id_ = self._new_id()
        text = self._generation.event(id_, self.protocol, events.envelope(event, message, urls))
        self._inflight[id_] = (event, parts.clock.monotonic())
        if event.message_id in self._unanswered:
            self._unanswered[event.message_id].append((text, id_))
        else:
            self._put(text, id_)

    def restart(self) -> None:
        """Ask the client to connect again, because this node stops."""
        if self._generation is not None and self._ended is None:
            self._is_restarting = True
            self._put(self._generation.disconnect(self._new_id()))

    def tick(self, now: float) -> None:
        """See whether the client still reads and answers, and ask it whether it is there."""
        generation, every_s = self._generation, self._parts.ping_s
        if generation is None or self._ended is not None or self._is_restarting:
            return
        since = [at for at in (self._outbox.writing_since, self._oldest()) if at is not None]
        if since and now - min(since) > PATIENCE * every_s:
            self.end("slow")
        elif not generation.pings:
            if now - self._heard_at > max(SILENCE * every_s, 30.0):
                self.end("silent")
        elif self._pings >= MISSED:
            self.end("silent")
        else:
            self._pings += 1
            timestamp = {"timestamp": self._parts.clock.now() / 1_000_000}
            self._put(frames.request(self._new_id(), "signalwire.ping", timestamp))
        if now >= self._recheck_at and self._ended is None:
            self._recheck_at = now + RECHECK_S
            self._start(self._recheck())

    async def _recheck(self) -> None:
        """End the connection of a client that only listens, too, once its credentials hold no more."""
        try:
            await authenticated(self._parts.accounts, self._credentials)
        except RpcError:
            self.end("unauthorized")
        except StoreUnavailable as error:
            log.warning("the database is away", method="recheck", error=str(error))

    def _oldest(self) -> float | None:
        return next(iter(self._inflight.values()))[1] if self._inflight else None

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _new_id(self) -> str:
        return to_uuid(self._parts.ids.new())

    def _put(self, text: str, id_: str | None = None) -> None:
        if self._ended is not None:
            return  # nothing follows the frame that closes the connection
        if self._outbox.is_full:
            self.end("slow")
        else:
            self._outbox.put(text, id_)

    def _written(self, id_: str) -> None:
        """A client that acknowledges nothing has an event once that is written."""
        if not self._acks and id_ in self._inflight:
            event, _ = self._inflight.pop(id_)
            self._parts.relay.wrote(self, [event.seq])

    # ------------------------------------------------------------------ the end

    def end(self, reason: str) -> None:
        """Close the connection, for a reason of ours; at once, when the client does not read."""
        if self._ended is not None:
            return
        self._part(reason)
        self._parts.relay.dropped.labels(reason).inc()
        log.warning("a Relay client was disconnected", reason=reason, account=self.account_id.hex())
        if self._outbox.writing_since is not None or self._outbox.is_full:
            self._abort()
        else:
            self._start(self.close(_POLICY, reason))

    async def close(self, code: int = _RESTART, reason: str = "restart") -> None:
        """Close the connection in order, or at once when the client does not read what it is told before."""
        self._part(reason)
        try:
            async with asyncio.timeout(PATIENCE * self._parts.ping_s):
                await self._outbox.emptied()
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except TimeoutError:
            self._abort()
        except (OSError, RuntimeError):
            pass  # the client closed it first

    def _part(self, reason: str) -> None:
        """Leave; what the client had not taken goes to others."""
        self._ended = self._ended or reason
        if self._generation is None:
            return
        self._parts.relay.leave(self)
        left = [event for event, _ in self._inflight.values()]
        self._inflight.clear()
        if left:
            self._parts.relay.returned(self, left)
