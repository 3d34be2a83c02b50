"""Short codes: list them, and say what happens to messages that reach one. Source: SignalWire's short code pages."""

from typing import Any, Final

from parley.api.http.endpoint import Call, Reply, json_reply
from parley.api.http.fault import Fault
from parley.api.signalwire import pages, shapes
from parley.api.signalwire.laml_application import read_change
from parley.api.signalwire.paths import path_id
from parley.api.signalwire.phone_numbers import number_body
from parley.api.signalwire.problems import Invalid, Problem, unknown_parameter
from parley.core.numbers import Numbers
from parley.core.resources import Resources
from parley.lib.ids import to_uuid
from parley.model.application import Application
from parley.model.number import Number
from parley.store import Engine, numbers
from parley.webhooks.guard import Guard

SHORT_CODES: Final = "/api/relay/rest/short_codes"
FILTERS: Final = pages.PARAMETERS | {"filter_name", "filter_number"}
PARAMETERS: Final = frozenset(
    {
        "name",
        "message_handler",
        "message_request_url",
        "message_request_method",
        "message_fallback_url",
        "message_fallback_method",
        "message_laml_application_id",
        "message_relay_context",
    }
)
_REQUIRED: Final = ("name", "message_handler")
_OTHERS: Final = ("relay_topic", "relay_application")
_SHOWN: Final = tuple(sorted(PARAMETERS - {"name"}))


class ShortCodes:
    """The operations on short codes. Operators bring them, or, in the dev profile, their first use."""

    def __init__(self, owned: Numbers, applications: Resources[Application], engine: Engine, guard: Guard) -> None:
        self._numbers = owned
        self._applications = applications
        self._engine = engine
        self._guard = guard

    async def list(self, call: Call) -> Reply:
        """GET: newest first; both filters are substrings."""
        arguments = call.arguments()
        pages.allow(arguments, FILTERS)
        name, number = arguments.one("filter_name") or None, arguments.one("filter_number") or None
        account_id = call.account.id
        page = await pages.turn(
            SHORT_CODES,
            arguments,
            lambda limit, after, backwards: self._engine.read(
                numbers.page,
                account_id,
                limit,
                after,
                backwards=backwards,
                contains=number,
                name_contains=name,
                is_short=True,
            ),
        )
        return json_reply(200, {"links": page.links, "data": [short_code_body(code) for code in page.items]})

    async def fetch(self, call: Call) -> Reply:
        """GET of one short code."""
        pages.allow(call.arguments())
        return json_reply(200, short_code_body(await self._code(call)))

    async def update(self, call: Call) -> Reply:
        """PUT: name and handler must be given; what else is not stays."""
        given = call.json()
        code = await self._code(call)
        if given.get("message_handler") in _OTHERS:
            rule = "message_handler of a short code tells Relay's clients by relay_context alone"
            raise Invalid([Problem("invalid_parameter", rule, "message_handler")])
        problems = [unknown_parameter(name) for name in given if name not in PARAMETERS]
        problems += [
            Problem("missing_required_parameter", f"{name} is required", name)
            for name in _REQUIRED
            if given.get(name) in (None, "")
        ]
        known = {name: given[name] for name in PARAMETERS & given.keys()}
        wanted = await read_change(code, known, self._guard, self._applications, problems)
        return json_reply(200, short_code_body(await self._numbers.change(code, wanted)))

    async def _code(self, call: Call) -> Number:
        code = await self._numbers.fetch(call.account.id, path_id(call))
        if code is None or code.address.startswith("+"):
            raise Fault("not_found")
        return code


def short_code_body(code: Number) -> dict[str, Any]:
    """A short code in SignalWire's shape."""
    told = number_body(code)
    return {
        "id": to_uuid(code.id),
        "name": code.name,
        "number": code.address,
        "capabilities": told["capabilities"],
        "number_type": "shortcode",
        "code_type": "random",
        "country_code": "US",
        "created_at": shapes.at(code.created_at),
        "updated_at": shapes.at(code.updated_at),
        "next_billed_at": None,
        "lease_duration": None,
        **{name: told[name] for name in _SHOWN},
    }
