"""An app's answers to inbound messages, as its phones and its record see what comes of them."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from parley.store import Operation, StoreUnavailable, media, schema
from parley.store.engine.statements import Upsert
from tests.receiver import Received, Reply
from tests.webhooks.app import World, at, text, twiml

TOKEN = "i-twilio-idempotency-token"
PNG = Reply(200, b"\x89PNG", (("Content-Type", "image/png"),))


def routes(replies: dict[str, Reply | Callable[[Received], Reply]]) -> Callable[[Received], Reply]:
    """Answers by path; 404 elsewhere."""

    def answer(received: Received) -> Reply:
        reply = replies.get(received.path, Reply(404))
        return reply if isinstance(reply, Reply) else reply(received)

    return answer


def asked(world: World, replies: dict[str, Reply | Callable[[Received], Reply]], **number: str) -> tuple[str, str, str]:
    """Let a phone write to a number that answers so; the message's id, the phone and the number."""
    world.receiver.answer = routes(replies)
    ours = world.own(f"{world.receiver.url}/in", **number)
    message_id, phone = world.text(ours)
    world.settled(message_id)
    return message_id, phone, ours


def bodies(world: World, phone: str) -> list[str]:
    return [reply["body"] for reply in world.replies_to(phone)]


def told(world: World, message_id: str) -> list[tuple[int, str]]:
    """What went wrong with a message's webhook: codes and the paths where."""
    events = [e["data"] for e in world.record(message_id)["events"] if e["kind"] == "webhook"]
    return [(data["code"], data["url"].removeprefix(world.receiver.url)) for data in events]


def notified(world: World, **filters: str) -> list[tuple[str, str]]:
    """What the account is told of webhooks of this test: codes and the paths where, the oldest first."""
    path = f"/2010-04-01/Accounts/{world.server.account_sid}/Notifications.json"
    found = [
        (each["error_code"], each["request_url"]) for each in world.call("GET", path, params=filters)["notifications"]
    ]
    ours = world.receiver.url
    return [(code, url.removeprefix(ours)) for code, url in reversed(found) if url.startswith(f"{ours}/")]


def test_a_text_answers_from_the_number_to_the_phone(world: World) -> None:
    message_id, phone, ours = asked(world, {"/in": text("Hello yourself")})
    [reply] = world.replies_to(phone)
    assert (reply["from"], reply["body"], reply["direction"]) == (ours, "Hello yourself", "outbound-reply")
    assert [m["body"] for m in world.inbox(phone)] == ["Hello yourself"]
    [received] = world.receiver.requests
    assert (received.form["MessageSid"], received.form["From"], received.form["Body"]) == (
        f"SM{message_id}",
        phone,
        "Hi",
    )
    assert world.record(message_id)["error_code"] is None


@pytest.mark.parametrize("reply", [Reply(), twiml(""), Reply(204), text("  ")])
def test_nothing_is_a_good_answer(world: World, reply: Reply) -> None:
    message_id, phone, _ = asked(world, {"/in": reply})
    assert world.replies_to(phone) == []
    assert told(world, message_id) == []
    assert world.record(message_id)["error_code"] is None


def test_messages_with_body_media_and_attributes(world: World) -> None:
    other, third = world.number(), world.number()
    inner = (
        "<Message><Body>One</Body><Media>/cat.png</Media></Message>"
        f'<Message to="{other}" from="{third}" statusCallback="/status">Two</Message>'
    )
    _, phone, ours = asked(world, {"/in": twiml(inner), "/cat.png": PNG, "/status": Reply()})
    [one] = world.inbox(phone)
    assert (one["from"], one["body"], [m["content_type"] for m in one["media"]]) == (ours, "One", ["image/png"])
    [two] = world.inbox(other)
    assert (two["from"], two["body"]) == (third, "Two")
    received = world.receiver.wait(at("/status"), 2)
    assert [r.form["MessageStatus"] for r in received] == ["sent", "delivered"]
    assert received[0].form["To"] == other


def test_a_redirect_is_followed_relative_to_where_it_stands(world: World) -> None:
    replies = {
        "/in": twiml("<Message>Before</Message><Redirect>deep/next?step=2</Redirect><Message>Never</Message>"),
        "/deep/next": twiml('<Redirect method="GET">last</Redirect>'),
        "/deep/last": twiml("<Message>After</Message>"),
    }
    message_id, phone, _ = asked(world, dict(replies))
    assert bodies(world, phone) == ["Before", "After"]
    first, second, third = world.receiver.requests
    assert second.url.endswith("/deep/next?step=2")
    assert second.body == first.body
    assert (third.method, third.form["MessageSid"]) == ("GET", f"SM{message_id}")
    assert len({r.headers[TOKEN] for r in world.receiver.requests}) == 3


def test_redirects_in_a_circle_end(world: World) -> None:
    message_id, _, _ = asked(world, {"/in": twiml("<Redirect>/in</Redirect>")})
    assert len(world.receiver.requests) == 50
    assert told(world, message_id) == [(14106, "/in")]
    assert world.record(message_id)["error_code"] == 14106
    assert notified(world) == [("14106", "/in")]


@pytest.mark.parametrize(
    "inner", ['<Redirect method="GET">/gone</Redirect>', '<Message action="/gone" method="GET">First</Message>']
)
def test_a_document_that_is_not_there_is_told_by_its_own_url(world: World, inner: str) -> None:
    message_id, _, _ = asked(world, {"/in": twiml(inner)})
    assert told(world, message_id) == [(11217, "/gone")]
    path = f"/2010-04-01/Accounts/{world.server.account_sid}/Notifications.json"
    mine = [
        (each["request_url"], each["request_method"])
        for each in world.call("GET", path)["notifications"]
        if each["request_url"].startswith(f"{world.receiver.url}/")
    ]
    assert mine == [(f"{world.receiver.url}/gone", "GET")]


def test_an_action_is_told_of_the_reply_and_its_answer_goes_on(world: World) -> None:
    replies = {
        "/in": twiml('<Message action="/done">First</Message><Message>Never</Message>'),
        "/done": twiml("<Message>Second</Message>"),
    }
    message_id, phone, _ = asked(world, dict(replies))
    first, second = world.replies_to(phone)
    assert (first["body"], second["body"]) == ("First", "Second")
    [done] = world.receiver.wait(at("/done"))
    assert (done.form["MessageSid"], done.form["MessageStatus"]) == (first["sid"], "queued")
    assert done.form["SmsMessageSid"] == f"SM{message_id}"


@pytest.mark.parametrize(
    ("first", "code"),
    [
        (twiml("<Message/>"), 14103),
        (Reply(200, b"<Response><Message>", (("Content-Type", "text/xml"),)), 12100),
        (Reply(200, b"{}", (("Content-Type", "application/json"),)), 12300),
        (Reply(500), 11217),
        (Reply(404), 11217),
    ],
)
def test_the_fallback_is_told_what_went_wrong_and_answers_instead(world: World, first: Reply, code: int) -> None:
    url = f"{world.receiver.url}/fallback"
    message_id, phone, _ = asked(world, {"/in": first, "/fallback": text("Sorry")}, SmsFallbackUrl=url)
    assert bodies(world, phone) == ["Sorry"]
    one, two = world.receiver.requests
    assert two.form == {**one.form, "ErrorCode": str(code), "ErrorUrl": f"{world.receiver.url}/in"}
    assert told(world, message_id) == [(code, "/in")]
    assert notified(world) == [(str(code), "/in")], "what the fallback rescued too"
    assert world.callbacks(message_id)[0].state == "delivered"


def test_a_fallback_that_fails_too_shows_on_the_message(world: World) -> None:
    replies = {"/in": Reply(404), "/fallback": twiml("<Message/>")}
    message_id, phone, _ = asked(world, dict(replies), SmsFallbackUrl=f"{world.receiver.url}/fallback")
    assert world.replies_to(phone) == []
    assert told(world, message_id) == [(11217, "/in"), (14103, "/fallback")]
    path = f"/2010-04-01/Accounts/{world.server.account_sid}/Messages/SM{message_id}.json"
    message = world.call("GET", path)
    assert (message["error_code"], message["status"]) == (14103, "received")
    [callback] = world.callbacks(message_id)
    assert (callback.state, callback.attempts) == ("gave_up", 1)
    assert notified(world) == [("11217", "/in"), ("14103", "/fallback")]


def test_an_error_of_the_app_is_final_unless_its_url_asks_for_more(world: World) -> None:
    message_id, _, _ = asked(world, {"/in": Reply(500)})
    assert len(world.receiver.requests) == 1
    assert (world.callbacks(message_id)[0].state, told(world, message_id)) == ("gave_up", [(11217, "/in")])

    answers = iter([Reply(500), text("At last")])
    url = f"{world.receiver.url}/again#rc=1&rp=5xx"
    _, phone, _ = asked(world, {"/again": lambda _: next(answers)}, SmsUrl=url)
    assert bodies(world, phone) == ["At last"]
    _, first, second = world.receiver.requests
    assert first.headers[TOKEN] == second.headers[TOKEN]
    assert first.body == second.body


def test_a_webhook_by_get_has_its_parameters_in_the_query(world: World) -> None:
    message_id, phone, _ = asked(world, {"/in": text("Got it")}, SmsMethod="GET")
    [received] = world.receiver.requests
    assert (received.method, received.body, received.form["MessageSid"]) == ("GET", b"", f"SM{message_id}")
    assert bodies(world, phone) == ["Got it"]


def test_cookies_are_kept_for_a_pair_of_numbers_for_four_hours(world: World) -> None:
    def count(received: Received) -> Reply:
        before = int(received.headers.get("cookie", "n=0").partition("n=")[2])
        return Reply(200, str(before).encode(), (("Content-Type", "text/plain"), ("Set-Cookie", f"n={before + 1}")))

    _, phone, ours = asked(world, {"/in": count})
    world.settled(world.text(ours, phone=phone)[0])
    world.settled(world.text(ours)[0])  # another phone
    world.clock.advance(3.9 * 3600)
    world.settled(world.text(ours, phone=phone)[0])
    world.clock.advance(3.9 * 3600)
    world.settled(world.text(ours, phone=phone)[0])
    world.clock.advance(4.1 * 3600)
    world.settled(world.text(ours, phone=phone)[0])
    assert [r.headers.get("cookie") for r in world.receiver.requests] == [None, "n=1", None, "n=2", "n=3", None]
    assert bodies(world, phone) == ["0", "1", "2", "3", "0"]


def test_a_cookie_that_the_app_takes_back_is_sent_no_more(world: World) -> None:
    def once(received: Received) -> Reply:
        gone = "Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        return Reply(headers=(("Set-Cookie", f"n=; {gone}" if "cookie" in received.headers else "n=1"),))

    _, phone, ours = asked(world, {"/in": once})
    for _ in range(2):
        world.settled(world.text(ours, phone=phone)[0])
    assert [r.headers.get("cookie") for r in world.receiver.requests] == [None, "n=1", None]


def test_a_reply_to_who_opted_out_is_refused_and_noted(world: World) -> None:
    world.receiver.answer = routes({"/in": text("But wait")})
    ours = world.own(f"{world.receiver.url}/in")
    message_id, phone = world.text(ours, "Stop")
    world.settled(message_id)
    [confirmation] = world.replies_to(phone)
    assert "unsubscribed" in confirmation["body"]
    assert told(world, message_id) == [(21610, "/in")]
    assert world.record(message_id)["error_code"] == 21610
    assert world.receiver.requests[0].form["OptOutType"] == "STOP"


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        ('<Message to="nobody">Hi</Message>', 14101),
        ('<Message from="+15005550001">Hi</Message>', 14102),
        ("<Message></Message>", 14103),
        (f"<Message>{'x' * 1601}</Message>", 14103),
        ("<Message>Hi</Message>" * 11, 14109),
        ("<Redirect>http://[bad</Redirect>", 11100),
    ],
)
def test_a_reply_that_cannot_be_sent_is_noted(world: World, inner: str, code: int) -> None:
    message_id, phone, _ = asked(world, {"/in": twiml(inner)})
    assert [noted for noted, _ in told(world, message_id)] == [code]
    assert notified(world) == [(str(code), "/in")]
    assert world.replies_to(phone) == []


def test_a_reply_to_the_number_itself_is_told_of_and_no_fallback_asked(world: World) -> None:
    ours = world.own(f"{world.receiver.url}/in", SmsFallbackUrl=f"{world.receiver.url}/fallback")
    world.receiver.answer = routes({"/in": twiml(f'<Message to="{ours}">Me</Message><Message>You</Message>')})
    message_id, phone = world.text(ours)
    world.settled(message_id)
    assert bodies(world, phone) == ["You"]
    assert [request.path for request in world.receiver.requests] == ["/in"]
    assert notified(world) == [("14101", "/in")]


def test_what_the_schema_does_not_know_is_a_warning_and_the_rest_carried_out(world: World) -> None:
    inner = '<Say>Hi</Say><Message colour="red">One</Message>'
    message_id, phone, _ = asked(world, {"/in": twiml(inner)}, SmsFallbackUrl=f"{world.receiver.url}/fallback")
    assert bodies(world, phone) == ["One"]
    assert [request.path for request in world.receiver.requests] == ["/in"]
    assert told(world, message_id) == [(12200, "/in")]
    assert world.record(message_id)["error_code"] is None
    assert notified(world) == notified(world, Log="1") == [("12200", "/in")]
    assert notified(world, Log="0") == []


def test_replies_are_not_doubled_when_the_webhook_is_asked_again(world: World) -> None:
    inner = "<Message>One</Message><Message>Two</Message>"
    message_id, phone, _ = asked(world, {"/in": twiml(inner)})
    [callback] = world.callbacks(message_id)
    again = replace(callback, state="pending", node=None, finished_at=None)  # as a node leaves it that died meanwhile
    world.server.run(_write(world, again))
    world.settled(message_id)
    assert len(world.receiver.requests) == 2
    assert bodies(world, phone) == ["One", "Two"]
    assert len({r.headers[TOKEN] for r in world.receiver.requests}) == 1


def test_a_database_that_is_away_costs_a_webhook_no_attempt(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    of_messages = media.of_messages
    failures = iter([StoreUnavailable("it is away")] * 5)

    def away(*args: Any) -> Any:
        for failure in failures:
            raise failure
        return of_messages(*args)

    monkeypatch.setattr(media, "of_messages", away)
    message_id, phone, _ = asked(world, {"/in": text("Here again")})
    assert next(failures, None) is None
    assert [(c.state, c.attempts, c.outcome) for c in world.callbacks(message_id)] == [("delivered", 1, "HTTP 200")]
    assert bodies(world, phone) == ["Here again"]
    assert told(world, message_id) == []


async def _write(world: World, callback: Any) -> None:
    table = schema.callbacks
    row = tuple(getattr(callback, column.name) for column in table.columns)
    await world.server.app.engine.write(_upsert, row)


def _upsert(row: tuple[Any, ...]) -> Operation[None]:
    yield Upsert(schema.callbacks, [row])


def test_an_app_that_hangs_holds_up_no_other(world: World) -> None:
    hang = threading.Event()

    def stuck(_: Received) -> Reply:
        hang.wait(30)
        return text("Late")

    world.receiver.answer = routes({"/slow": stuck, "/in": text("Quick")})
    slow, quick = world.own(f"{world.receiver.url}/slow"), world.own(f"{world.receiver.url}/in")
    try:
        waiting, late_phone = world.text(slow)
        message_id, phone = world.text(quick)
        world.settled(message_id)
        assert bodies(world, phone) == ["Quick"]
    finally:
        hang.set()
    world.settled(waiting)
    assert bodies(world, late_phone) == ["Late"]
