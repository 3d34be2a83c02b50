"""The two generations of the protocol: how each names its requests, and wraps what both say."""

from collections.abc import Collection, Mapping
from typing import Any, Final, Protocol

from parley.api.signalwire.relay.frames import INVALID_REQUEST, UNKNOWN_METHOD, Frame, RpcError, request

NODE: Final = "parley"
_NOTIFICATIONS: Final = "notifications"


class Generation(Protocol):
    """What a connection speaks, from its `connect` on."""

    pings: bool
    """Whether we ask if the client is there; otherwise it asks us."""

    def asked(self, frame: Frame, protocol: str) -> tuple[str, Mapping[str, Any]]:
        """The method, one of the generation's own, and the parameters of a request. Raises RpcError."""
        ...

    def answer(self, frame: Frame, result: Mapping[str, Any]) -> Mapping[str, Any]:
        """The result of a request, as it is wrapped."""
        ...

    def event(self, id_: str, protocol: str, told: Mapping[str, Any]) -> str:
        """The frame of an event."""
        ...

    def disconnect(self, id_: str) -> str:
        """The frame that asks to connect again in a moment."""
        ...


class SignalWire:
    """`signalwire.*`: realtime-api 3.x and 4.x, the Python SDK 3.x."""

    pings = True
    _METHODS: Final = frozenset(
        {
            "signalwire.ping",
            "signalwire.receive",
            "signalwire.unreceive",
            "signalwire.reauthenticate",
            "messaging.send",
        }
    )

    def asked(self, frame: Frame, protocol: str) -> tuple[str, Mapping[str, Any]]:
        """As it is."""
        return _known(frame.method, self._METHODS), frame.params

    def answer(self, frame: Frame, result: Mapping[str, Any]) -> Mapping[str, Any]:
        """As it is."""
        return result

    def event(self, id_: str, protocol: str, told: Mapping[str, Any]) -> str:
        """A request that the client answers, when it said that it acknowledges events."""
        return request(id_, "signalwire.event", {"event_channel": protocol, **told})

    def disconnect(self, id_: str) -> str:
        """A request that the client answers before it waits for us to close.

        With `restart` the Python SDK would forget its session, and with it what it received beside its first contexts.
        """
        return request(id_, "signalwire.disconnect", {"restart": False})


class Blade:
    """`blade.*` 2.3: the SDKs before, such as PyPI's signalwire 2.1.1."""

    pings = False
    _OWN: Final = frozenset({"blade.ping", "blade.subscription"})
    _EXECUTED: Final = frozenset({"signalwire.receive", "signalwire.unreceive", "messaging.send"})

    def asked(self, frame: Frame, protocol: str) -> tuple[str, Mapping[str, Any]]:
        """What `blade.execute` holds, and what is Blade's own."""
        if frame.method != "blade.execute":
            return _known(frame.method, self._OWN), frame.params
        method, params, named = (frame.params.get(name) for name in ("method", "params", "protocol"))
        if not isinstance(method, str) or not isinstance(params, dict | None):
            raise RpcError(INVALID_REQUEST, "blade.execute needs a method and its params")
        if method == "setup" and named == "signalwire":
            return "setup", params or {}
        if named != protocol:
            raise RpcError(INVALID_REQUEST, "blade.execute needs the protocol that setup gave")
        return _known(method, self._EXECUTED), params or {}

    def answer(self, frame: Frame, result: Mapping[str, Any]) -> Mapping[str, Any]:
        """The result of what was executed stands within another."""
        if frame.method != "blade.execute":
            return result
        return {"requester_nodeid": NODE, "responder_nodeid": NODE, "result": result}

    def event(self, id_: str, protocol: str, told: Mapping[str, Any]) -> str:
        """A broadcast, which the client does not answer."""
        return request(
            id_,
            "blade.broadcast",
            {
                "broadcaster_nodeid": NODE,
                "protocol": protocol,
                "channel": _NOTIFICATIONS,
                "event": "queuing.relay.messaging",
                "params": told,
            },
        )

    def disconnect(self, id_: str) -> str:
        """The client waits for us to close, and connects again."""
        return request(id_, "blade.disconnect", {})


def _known(method: str | None, methods: Collection[str]) -> str:
    """A method that is one of these. Raises RpcError."""
    if method is None or method not in methods:
        raise RpcError(UNKNOWN_METHOD, f"{(method or '')[:100]} is not a method of this connection")
    return method


GENERATIONS: Final[Mapping[str, Generation]] = {"signalwire.connect": SignalWire(), "blade.connect": Blade()}
"""By the request that a connection begins with."""
