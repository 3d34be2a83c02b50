"""The limits of docs/compat/signalwire-swml.csv: what keeps within each is carried out, and one more is refused."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from parley.webhooks.render import Outcome, Say, Verb
from tests.api.signalwire.client import Client
from tests.api.signalwire.swml.outside import Called, Done, answered, main
from tests.api.signalwire.swml.table import LIMITS
from tests.api.signalwire.values import OUTBOUND
from tests.receiver import Received, Receiver, Reply
from tests.server import Server

URL = "https://api.example/x"
Step = dict[str, Any]
Found = tuple[str | None, list[str]]
"""A code, and what was said."""


def messaging(document: Any, outside: Callable[[Verb], Outcome] | None = None, **message: Any) -> Found:
    done = Done(document, outside, **message)
    return done.word, done.replies


def calling(document: Any, outside: Callable[[Verb], Outcome] | None = None) -> Found:
    done = Called(document, outside)
    return done.word, done.said


def octets(n: int) -> str:
    short = json.dumps(main({"label": ""}))
    return short.replace('""', f'"{"x" * (n - len(short))}"')


def levels(n: int) -> Step:
    value: Any = 0
    for _ in range(n - 4):  # the document, its sections, main and its step
        value = [value]
    return main({"return": value})


def nested(n: int) -> Step:
    """Sections, each of which executes the next one."""
    return main({"execute": "2"}, **{str(k): [{"execute": str(k + 1)}] for k in range(2, n)}, **{str(n): []})


def steps(n: int) -> Step:
    return main(*[{"label": "x"}] * n)


def requests(say: str) -> Callable[[int], Step]:
    return lambda n: main(*[{"request": {"url": URL}}] * n, {say: "%{request_result}"})


def documents(n: int) -> tuple[Step, Callable[[Verb], Outcome]]:
    """A document that leads through so many others, and who has them."""
    left = iter(range(n - 1, -1, -1))

    def outside(verb: Verb) -> Outcome:
        return answered(main({"transfer": URL}) if next(left) else main())

    return main({"transfer": URL}), outside


def kept(n: int) -> tuple[Step, Callable[[Verb], Outcome]]:
    """Documents that set variables which weigh so much together."""

    def pieces() -> Iterator[Step]:
        left, index = n, 0
        while left > 0:
            name = f"v{index:02}"
            weight = min(left, 60_000)
            # Its name, and one for the text itself.
            yield {"set": {name: "x" * (weight - len(name) - 1)}}
            left, index = left - weight, index + 1

    waiting = pieces()

    def outside(verb: Verb) -> Outcome:
        with suppress(StopIteration):
            return answered(main(next(waiting), {"transfer": URL}))
        return answered(main())

    return main({"transfer": URL}), outside


def looked_at_in_a_call(n: int) -> Step:
    """A text that is set, and looked at over and over; what is left is set once."""
    weight = 10_000
    looks = n // weight - 1
    look = {"cond": [{"when": "x", "then": []}]}
    rest = {"set": {"y": "y" * (n % weight - 1)}}
    return main({"set": {"x": "x" * (weight - 1)}}, *[look] * looks, rest)


def looked_at_in_a_message(n: int) -> Found:
    weight = n // 99
    look = {"switch": {"variable": "message.body", "case": {}, "default": []}}
    rest = {"switch": {"variable": "message.rest", "case": {}, "default": []}}
    return messaging(main(*[look] * 99, rest), body="x" * (weight - 1), rest="x" * (n % 99 - 1))


def one_value(n: int) -> Found:
    return messaging(main({"return": "%{message.body}"}), body="x" * (n - 1))  # and one for the text itself


def one_value_in_a_call(n: int) -> Step:
    half = "x" * (n // 2 - 3)  # twice this, a digit, and two for the array and the one text in it
    rest = "y" * (n - 2 * len(half) - 2)
    return main({"set": {"x": half}}, {"set": {"y": ["${x}${x}" + rest]}})


def transcript(n: int) -> Step:
    text, around = "x" * 20_000, len(json.dumps({"method": "say", "text": ""}, separators=(",", ":")))
    many, left = divmod(n, len(text) + around)
    return main({"set": {"x": text}}, *[{"say": "${x}"}] * many, {"say": "y" * (left - around)})


def expression(n: int) -> Step:
    return main({"cond": [{"when": "x" * n, "then": []}]})


def parentheses(n: int) -> Step:
    return main({"cond": [{"when": "(" * n + "x" + ")" * n, "then": []}]})


def media(step: str, **more: str) -> Callable[[int], Step]:
    return lambda n: main({step: {**more, "media": ["https://a.example/x"] * n}})


TRIALS: dict[str, Callable[[int], Found]] = {
    "messaging document,octets": lambda n: messaging(octets(n)),
    "messaging document,levels": lambda n: messaging(levels(n)),
    "messaging document,sections and branches": lambda n: messaging(nested(n)),
    "messaging document,steps": lambda n: messaging(steps(n)),
    "messaging document,requests": lambda n: messaging(requests("reply")(n), outside_of_requests),
    "messaging document,documents": lambda n: messaging(*documents(n)),
    "messaging document,characters": lambda n: (one_value if n < 100_000 else looked_at_in_a_message)(n),
    "messaging reply,media": lambda n: messaging(media("reply")(n)),
    "calling document,octets": lambda n: calling(octets(n)),
    "calling document,levels": lambda n: calling(levels(n)),
    "calling document,sections and branches": lambda n: calling(nested(n)),
    "calling document,steps": lambda n: calling(steps(n)),
    "calling document,requests": lambda n: calling(requests("say")(n), outside_of_requests),
    "calling document,documents": lambda n: calling(*documents(n)),
    "calling document,octets of transcript": lambda n: calling(transcript(n)),
    "calling cond,characters": lambda n: calling(expression(n)),
    "calling cond,parentheses": lambda n: calling(parentheses(n)),
    "calling send_sms,media": lambda n: calling(media("send_sms", to_number="+15550001111")(n)),
}


def characters_of_a_call(n: int) -> Found:
    if n < 100_000:
        return calling(one_value_in_a_call(n))
    return calling(*kept(n)) if n < 1_000_000 else calling(looked_at_in_a_call(n))


TRIALS["calling document,characters"] = characters_of_a_call
AS_SENT = ("messaging document,replies", "messaging reply,characters")
"""Those that are found as a reply is sent."""


def outside_of_requests(verb: Verb) -> Outcome:
    return OUTBOUND if isinstance(verb, Say) else answered({})


def limit(row: dict[str, str]) -> tuple[int, str]:
    """A row's number, and its name in the tables above."""
    match = re.fullmatch(r"more than (\d+) (.+)", row["parameter"])
    assert match is not None
    return int(match[1]), f"{row['operation']},{match[2]}"


@pytest.mark.parametrize("row", LIMITS, ids=[f"{row['operation']}-{row['parameter']}" for row in LIMITS])
def test_a_limit_is_where_the_row_says(row: dict[str, str], server: Server, receiver: Receiver) -> None:
    most, name = limit(row)
    if name in AS_SENT:
        check_as_sent(row, most, server, receiver)
        return
    within, beyond = (TRIALS[name](n) for n in (most, most + 1))
    assert within[0] is None
    if row["code"] == "limit_exceeded":
        assert (within[1], beyond) == (["success"], (None, ["limit_exceeded"]))
    else:
        assert beyond[0] == row["code"]


def check_as_sent(row: dict[str, str], most: int, server: Server, receiver: Receiver) -> None:
    client = Client(server)
    for n, code in ((most, None), (most + 1, row["code"])):
        number = f"+1555725{most:04}"
        mine = client.ask("POST", "/api/relay/rest/phone_numbers", 200, json={"number": number})
        handler = {"message_handler": "json_webhook", "message_request_url": receiver.url}
        client.ask("PUT", f"/api/relay/rest/phone_numbers/{mine['id']}", 200, json=handler)
        document = {"reply": "x" * n} if most == 1600 else main(*[{"reply": "x"}] * n)
        receiver.answer = always(document)
        id_ = client.phone_sends("+15557260000", number, "Hi")
        while client.raw("GET", f"/admin/messages/{id_}").json()["callbacks"][0]["state"] == "pending":
            server.run(server.app.engine.wait_for_change(0.02))
        assert client.ask("GET", f"/api/messaging/logs/{id_}", 200)["error_code"] == code


def always(document: Step) -> Callable[[Received], Reply]:
    return lambda request: Reply(200, json.dumps(document).encode())


def test_every_trial_has_a_row() -> None:
    assert {limit(row)[1] for row in LIMITS} == TRIALS.keys() | set(AS_SENT)
