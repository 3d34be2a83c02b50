"""The one port: finds the operation that a request is for, and answers in the right dialect when there is none."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parley.api.http import products
from parley.api.http.endpoint import Explain, Reply, respond
from parley.api.http.fault import Fault
from parley.api.http.paths import Paths

LAML: Final = "/api/laml"
"""Where SignalWire serves the Twilio-shaped API; it is served bare as well."""

_BELOW_LAML: Final = f"{LAML}/"
_JSON: Final = ".json"
_SURFACES: Final = (
    ("/2010-04-01", "twilio"),
    ("/api/", "signalwire"),
    ("/simulator", "simulator"),
    ("/admin/", "admin"),
    *((f"/{product}/", "twilio") for product in products.PRODUCTS),
)


class Surface:
    """Routes over one origin. `dialects` says by path prefix who explains what goes wrong; the last takes the rest.
    `answered` hears of each answer: the surface that the path belongs to, and the status. `otherwise` may answer where
    nothing is served, and says whether it did.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        dialects: Sequence[tuple[str, Explain]],
        answered: Callable[[str, int], None],
        otherwise: Callable[[Scope, Send], Awaitable[bool]],
    ) -> None:
        self.routes = tuple(routes)
        """What is served, as it was handed in."""
        self._dialects = dialects
        self._answered = answered
        self._otherwise = otherwise
        self._paths = _by_path(routes, self._explain)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        path: str = scope["path"]
        if path.startswith(_BELOW_LAML):
            scope["parley.prefix"] = LAML
            scope["path"] = self._in_json(path[len(LAML) :])
        else:
            products.place(scope)
        found = self._paths.find(scope["path"])
        surface = _surface(scope["path"]) if found is None else found.value.surface

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._answered(surface, message["status"])
            await send(message)

        if found is None:
            if not await self._otherwise(scope, counted):
                await self._nothing(scope, counted)
            return
        scope["path_params"] = found.parameters
        await found.value(scope, receive, counted)

    def _in_json(self, path: str) -> str:
        """A path of LaML's, which may leave `.json` out, as its reference does: only JSON is served there.

        What is served without it, as the octets of media are, goes before. Source: SignalWire's compatibility API.
        """
        in_json = f"{path}{_JSON}"
        return in_json if self._paths.find(path) is None and self._paths.find(in_json) is not None else path

    def _explain(self, path: str) -> Explain:
        for prefix, explain in self._dialects:
            if path.startswith(prefix):
                return explain
        return self._dialects[-1][1]

    async def _nothing(self, scope: Scope, send: Send) -> None:
        await respond(send, self._explain(scope["path"])(Fault("not_found"), scope))


def _surface(path: str) -> str:
    """What a path belongs to, in the metrics."""
    return next((name for prefix, name in _SURFACES if path.startswith(prefix)), "other")


class _Methods:
    """The operations of one path by their method."""

    def __init__(self, path: str, by_method: Mapping[str, ASGIApp], explain: Callable[[str], Explain]) -> None:
        self.surface = _surface(path)
        self._by_method = by_method
        self._explain = explain
        self._allow = ", ".join(sorted(by_method)).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        operation = self._by_method.get(scope["method"])
        if operation is not None:
            await operation(scope, receive, send)
            return
        fault = Fault("method_not_allowed", f"{scope['method'][:20]} is not offered here")
        reply = self._explain(scope["path"])(fault, scope)
        await respond(send, Reply(reply.status, reply.body, reply.content_type, ((b"allow", self._allow),)))


def _by_path(routes: Iterable[Route], explain: Callable[[str], Explain]) -> "Paths[_Methods]":
    """What each path serves: a method that it does not offer is that path's business, not another's."""
    by_path: dict[str, dict[str, ASGIApp]] = {}
    for route in routes:
        for method in route.methods or ():
            by_path.setdefault(route.path, {})[method] = route.app
    paths = Paths[_Methods]()
    for path, by_method in by_path.items():
        paths.add(path, _Methods(path, by_method, explain))
    return paths
