"""Each refusal in its shape: status, code, and nothing changed."""

import re

import pytest

from parley.api.http.fault import STATUS
from parley.api.twilio.problems import FAULTS, REFUSALS, explain
from parley.core.refusal import Refused
from tests.api.twilio.client import Raw, ask, client_of
from tests.server import Server, serve

US = "+15551234567"
THERE = "+15550002001"
SERVICE = "MG" + "0" * 32


@pytest.fixture(scope="module")
def raw(server: Server) -> Raw:
    return Raw(server)


def message(**changes: str | list[str]) -> dict[str, str | list[str]]:
    asked: dict[str, str | list[str]] = {"To": THERE, "From": US, "Body": "x", **changes}
    return {name: value for name, value in asked.items() if value != "-"}


def newest(raw: Raw) -> list[str]:
    found = raw("GET", "/Messages.json", params={"PageSize": 1}).json()["messages"]
    return [message["sid"] for message in found]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        (message(To="-"), 21604),
        (message(To=""), 21604),
        (message(To="nonsense"), 21211),
        (message(To="+1"), 21211),
        (message(To="+1234567890"), 21211),
        (message(To="+1415555"), 21211),
        (message(To="+999123456789"), 21211),
        (message(To="whatsapp:+1234567890"), 21211),
        (message(To="12345"), 21265),
        (message(To=US), 21266),
        (message(To="whatsapp:+15550002002"), 21910),
        (message(To="+15005550001"), 21211),
        (message(To="+15005550002"), 21612),
        (message(To="+15005550003"), 21408),
        (message(To="+15005550004"), 21610),
        (message(To="+15005550009"), 21614),
        (message(From="-"), 21603),
        (message(From="+0123"), 21212),
        (message(From="+15005550001"), 21212),
        (message(From="+15005550007"), 21606),
        (message(From="+15005550008"), 21611),
        (message(From="+15005550123"), 21606),
        (message(From=SERVICE), 21701),
        (message(From="ACME", MediaUrl="https://example.com/a.png"), 21621),
        (message(MessagingServiceSid=SERVICE), 21701),
        (message(MessagingServiceSid="MG1"), 21705),
        (message(MessagingServiceSid=SERVICE, Body="-"), 21619),
        (message(From=SERVICE, Body="-"), 21619),
        (message(ScheduleType="weekly", SendAt="2030-01-01T00:00:00Z"), 35126),
        (message(ScheduleType="fixed"), 35111),
        (message(ScheduleType="fixed", MessagingServiceSid=SERVICE), 35111),
        (message(ScheduleType="fixed", SendAt="2030-01-01T00:00:00Z"), 35118),
        (message(SendAt="2030-01-01T00:00:00Z"), 35118),
        (message(Body="-"), 21602),
        (message(Body=""), 21602),
        (message(Body="x" * 1601), 21617),
        (message(MediaUrl="ftp://example.com/a.png"), 21620),
        (message(MediaUrl=""), 21620),
        (message(MediaUrl=[f"https://example.com/{n}.png" for n in range(11)]), 21623),
        (message(StatusCallback="example.com"), 21609),
        (message(StatusCallback="https://"), 21609),
        (message(StatusCallback="https://under_score.example.com/"), 21609),
        (message(StatusCallback="https://example.com/" + "x" * 4000), 21609),
        (message(StatusCallback="https://exa mple.com/"), 21609),
        (message(ValidityPeriod="0"), 21624),
        (message(ValidityPeriod="36001"), 21624),
        (message(ValidityPeriod="-5"), 21624),
        (message(ValidityPeriod="ten"), 21624),
        (message(FallbackFrom=US), 21666),
        (message(FallbackFrom=US, MessagingServiceSid=SERVICE), 21664),
        (message(FallbackFrom=US, MessagingServiceSid=SERVICE, From="-"), 21667),
        (message(SendAsMms="perhaps"), 20001),
        (message(PersistentAction=["geo:1,2"] * 11), 20001),
        (message(PersistentAction="x" * 1001), 20001),
        (message(Unknown="x"), 20001),
        (message(Body=["a", "b"]), 20001),
        (message(To=[THERE, THERE]), 20001),
    ],
)
def test_a_message_is_refused(raw: Raw, parameters: dict[str, str | list[str]], code: int) -> None:
    before = newest(raw)
    assert raw.outcome("POST", "/Messages.json", data=parameters) == (400, code)
    assert newest(raw) == before


def test_what_is_not_served_is_called_so(raw: Raw) -> None:
    for option in ({"FallbackFrom": US, "MessagingServiceSid": SERVICE, "From": "-"}, {"ContentSid": "HX" + "0" * 32}):
        assert "not served" in raw.message(**message(**option)).json()["message"]


@pytest.mark.parametrize("body", ["x" * 1600, "é" * 1600, "👋" * 1600])
def test_the_longest_body_is_taken(raw: Raw, body: str) -> None:
    assert raw.message(**message(Body=body)).status_code == 201


def test_an_opted_out_recipient(raw: Raw, server: Server) -> None:
    phone = "+15550002003"
    inbox = f"/simulator/phones/{phone}/messages"
    ask(server, "POST", inbox, json={"to": US, "body": "Stop "}).raise_for_status()
    assert raw.outcome("POST", "/Messages.json", data=message(To=phone)) == (400, 21610)
    ask(server, "POST", inbox, json={"to": US, "body": "START"}).raise_for_status()
    assert raw.message(**message(To=phone)).status_code == 201


def test_who_may_not_send_in_the_strict_profile(tmp_path_factory: pytest.TempPathFactory) -> None:
    with serve(f"sqlite:///{tmp_path_factory.mktemp('strict')}/parley.db", profile="strict") as strict:
        raw = Raw(strict)
        assert raw.outcome("POST", "/Messages.json", data=message(To="+14155550100")) == (400, 21659)
        assert raw.outcome("POST", "/Messages.json", data=message(To="+1999")) == (400, 21211)
        callback = message(StatusCallback="http://127.0.0.1:1/")
        media = message(MediaUrl="http://169.254.169.254/latest")
        application = {"FriendlyName": "x", "SmsUrl": "http://10.0.0.1/"}
        for path, asked, code in (
            ("/Messages.json", callback, 21609),
            ("/Messages.json", media, 21620),
            ("/Applications.json", application, 21402),
        ):
            refused = raw("POST", path, data=asked).json()
            assert refused["code"] == code
            assert " must be at a public address: the host is " in refused["message"]
        buy = {"PhoneNumber": "+14155550100"}
        assert raw.outcome("POST", "/IncomingPhoneNumbers.json", data=buy) == (400, 21422)
        assert raw.outcome("POST", "/IncomingPhoneNumbers.json", data={"AreaCode": "999"}) == (400, 21452)


def test_credentials(server: Server) -> None:
    url = f"/2010-04-01/Accounts/{server.account_sid}/Messages.json"
    for auth in (None, (server.account_sid, "wrong"), ("AC" + "f" * 32, server.auth_token), ("nobody", "x")):
        answer = ask(server, "GET", url, auth=auth)
        assert (answer.status_code, answer.json()["code"]) == (401, 20003)
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        assert answer.json()["detail"]


def test_another_accounts_path(server: Server) -> None:
    base = "/2010-04-01/Accounts"
    answer = ask(server, "GET", f"{base}/AC{'f' * 32}/Messages.json")
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)
    answer = ask(server, "GET", f"{base}/AC123/Messages.json")
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)


@pytest.mark.parametrize(
    "path",
    [
        "/Messages/SM123.json",
        f"/Messages/ME{'0' * 32}.json",
        f"/Messages/SM{'0' * 32}.json",
        f"/Messages/SM{'0' * 32}/Media.json",
        f"/Messages/SM{'0' * 32}/Media/ME{'0' * 32}.json",
        f"/Messages/SM{'0' * 32}/Media/ME{'0' * 32}",
        f"/IncomingPhoneNumbers/PN{'0' * 32}.json",
        "/IncomingPhoneNumbers/%00.json",
        "/Messages/%ff.json",
        "/Messages",
        "/Calls.json",
        "",
    ],
)
def test_what_is_not_there(raw: Raw, server: Server, path: str) -> None:
    answer = ask(server, "GET", f"{raw.account}{path}")
    assert answer.status_code == 404
    assert {"code": 20404, "status": 404}.items() <= answer.json().items()


def test_methods(raw: Raw, server: Server) -> None:
    answer = ask(server, "PUT", f"{raw.account}/Messages.json")
    assert (answer.status_code, answer.json()["code"]) == (405, 20004)
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "POST"}


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"To=%00", "application/x-www-form-urlencoded", 400),
        (b"To=\xff&From=+15551234567&Body=x", "application/x-www-form-urlencoded", 400),
        (b"Body=%ff", "application/x-www-form-urlencoded", 400),
        (b"a=1&" * 1001, "application/x-www-form-urlencoded", 400),
        (b'{"To":"+15550002001"}', "application/json", 415),
        (b"<Message/>", "text/xml", 415),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415),
        (b"Body=" + b"x" * (1024 * 1024), "application/x-www-form-urlencoded", 413),
    ],
)
def test_what_cannot_be_read(raw: Raw, body: bytes, content_type: str, status: int) -> None:
    answer = raw("POST", "/Messages.json", data=body, headers={"Content-Type": content_type})
    code = 20413 if status == 413 else 20001
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status)


@pytest.mark.parametrize(
    "query",
    [
        "PageSize=0", "PageSize=-1", "PageSize=ten", "Page=-1", "PageToken=%00",
        "DateSent=yesterday", "DateSent%3E=2025-13-01", "DateSent%3C=2025-02-30",
        "DateSent=2025-01-01T25:00:00Z", "Nothing=1", "To=1&To=2", "PageSize=1&PageSize=2",
    ],
)  # fmt: skip
def test_bad_queries(raw: Raw, query: str) -> None:
    assert raw.outcome("GET", f"/Messages.json?{query}") == (400, 20001)


@pytest.mark.parametrize("token", ["PA", "nonsense", "PAYQAAAA"])
def test_a_page_token_that_is_not_ours(raw: Raw, token: str) -> None:
    assert raw.outcome("GET", f"/Messages.json?PageToken={token}") == (400, 21481)


def test_an_empty_filter_is_none(raw: Raw) -> None:
    assert raw("GET", "/Messages.json?PageSize=&PageToken=&To=&DateSent=").status_code == 200


def test_a_suspended_account(raw: Raw, server: Server) -> None:
    body = explain(Refused("account_suspended"), {"type": "http", "path": "/"})
    assert body.status == 403


@pytest.mark.parametrize("problem", [*REFUSALS.values(), *FAULTS.values()])
def test_the_table_is_sound(problem: object) -> None:
    status, code, text = problem.status, problem.code, problem.message  # type: ignore[attr-defined]
    assert 400 <= status <= 503
    assert re.fullmatch(r"[1-9]\d{4}", str(code))
    assert text
    assert "{" not in text.replace("{value}", "")


def test_faults_have_https_own_status() -> None:
    assert {kind: problem.status for kind, problem in FAULTS.items()} == STATUS


def test_long_values_are_cut_in_the_message(raw: Raw) -> None:
    answer = raw("POST", "/Messages.json", data=message(To="z" * 5000))
    assert len(answer.json()["message"]) < 250


def test_the_official_client_understands(server: Server) -> None:
    from twilio.base.exceptions import TwilioRestException

    with pytest.raises(TwilioRestException, match="is not a valid phone number") as caught:
        client_of(server).messages.create(to="nonsense", from_=US, body="x")
    assert (caught.value.status, caught.value.code, caught.value.method) == (400, 21211, "POST")
