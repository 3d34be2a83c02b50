"""A clean book balances, and each kind of damage to it is found and named."""

import hashlib
from collections.abc import Sequence

import pytest
from msgspec.structs import astuple

from parley.lib.redaction import Secret
from parley.model.account import Account
from parley.model.callback import Callback
from parley.model.message import FINAL, Dialect, Message, Status
from parley.model.receipt import Receipt
from parley.store import Engine, Operation, schema
from parley.store.accept import Intake
from parley.store.accounts import add
from parley.store.audit import audit
from parley.store.books import Audit
from parley.store.changes import CallbackTerms, Change, Requeue, apply, receive
from parley.store.engine.statements import Insert
from parley.store.numbers import own
from parley.store.vault import KEY_BYTES, Vault
from tests.store.records import CALLBACK_STATES, Records, take
from tests.store.tables import execute

HOOK = "http://127.0.0.1:9/status"
OCTETS = b"GIF89a"
HASH = hashlib.sha256(OCTETS).digest()


NOW = 1_800_000_000_000_000
STATES: dict[Dialect, frozenset[Status]] = {**CALLBACK_STATES, "signalwire": FINAL | {"sending"}}
VAULT = Vault(b"k" * KEY_BYTES)


async def open_account(engine: Engine, records: Records) -> None:
    secret = Secret("secret")
    await engine.write(
        add, Account(records.account_id, "Acme", "active", "number", secret, secret, None, None, 1, 1), VAULT
    )


async def audited(engine: Engine) -> Audit:
    return await engine.read(audit, STATES, NOW, 3)


async def entered(engine: Engine, records: Records, message: Message, *statuses: Status) -> None:
    for status in statuses:
        records.clock.advance(0.001)
        is_sent = status == "sent"
        carrier, refs = ("carrier", (message.id.hex(),)) if is_sent else (None, ())
        now = records.clock.now()
        change = Change(message.account_id, message.id, now, status, carrier=carrier, refs=refs)
        await engine.write(apply, [change], records.terms)


async def a_full_book(engine: Engine, records: Records) -> dict[str, Message]:
    """Fill a book with a message of each class."""
    await open_account(engine, records)
    await engine.write(own, records.number("+15557654321", request_url="http://127.0.0.1:9/sms"))
    records.clock.advance(61)
    made: dict[str, Message] = {}
    paths: dict[str, Sequence[Status]] = {
        "queued": (),
        "sending": ("sending",),
        "sent": ("sending", "sent"),
        "delivered": ("sending", "sent", "delivered"),
        "undelivered": ("sending", "sent", "undelivered"),
        "failed": ("failed",),
        "canceled": ("canceled",),
        "read": ("sending", "sent", "delivered", "read"),
    }
    for name, path in paths.items():
        made[name] = await records.sent_off(engine, status_callback=HOOK)
        await entered(engine, records, made[name], *path)
    made["uncertain"] = doubtful = await records.sent_off(engine)
    waits = Requeue(None, records.clock.now() + 1, 0, "receipt")
    doubt = Change(
        doubtful.account_id, doubtful.id, records.clock.now(), "sending", data="{}", uncertain=True, requeue=waits
    )
    await engine.write(apply, [doubt], records.terms)
    made["mms"] = mms = records.message(num_media=1)
    media = records.media(mms, content_hash=HASH)
    await take(engine, Intake(mms, records.pending(mms), (media,), ((HASH, OCTETS),)))
    made["inbound"] = inbound = records.message(direction="inbound", status="received", recipient="+15557654321")
    webhook = records.callback(inbound, kind="inbound", status="received")
    await take(engine, Intake(inbound, callbacks=(webhook,)))
    made["whatsapp"] = whatsapp = records.message(
        direction="inbound", status="received", recipient="whatsapp:+15557654321", num_media=1
    )
    webhook = records.callback(
        whatsapp, kind="inbound", status="received", state="gave_up", outcome="HTTP 404", finished_at=1
    )
    media = records.media(whatsapp, content_hash=HASH)
    await take(engine, Intake(whatsapp, None, (media,), ((HASH, OCTETS),), (webhook,)))
    await engine.write(receive, [Receipt("x", "delivered", 1, "nobody's")], records.terms)
    return made


async def test_a_clean_book_balances(engine: Engine, records: Records) -> None:
    await a_full_book(engine, records)
    other = Records(records.clock)
    await open_account(engine, other)
    await other.sent_off(engine)

    found = await audited(engine)

    assert (found.faults, found.examples, found.is_clean) == ({}, [], True)
    books = found.total
    assert (books.accepted, books.delivered, books.undelivered, books.failed) == (11, 1, 1, 1)
    assert (books.canceled, books.read, books.pending, books.uncertain) == (1, 1, 5, 1)
    assert (books.sent, books.received) == (1, 2)
    assert (books.callbacks, books.callbacks_pending, books.callbacks_given_up) == (12, 11, 1)
    assert found.given_up == {"HTTP 404": 1}
    assert (found.refs, found.orphans) == (4, 1)
    assert {id_: each.accepted for id_, each in found.accounts.items()} == {
        records.account_id.hex(): 10,
        other.account_id.hex(): 1,
    }


@pytest.mark.parametrize("path", [("undelivered",), ("failed",)])
async def test_nothing_was_fetched_for_what_no_carrier_had(
    engine: Engine, records: Records, path: Sequence[Status]
) -> None:
    await open_account(engine, records)
    message = records.message(num_media=1)
    await take(engine, Intake(message, records.pending(message), (records.media(message, content_hash=None),)))
    await entered(engine, records, message, *path)
    assert (await audited(engine)).is_clean


async def test_what_a_carrier_had_was_fetched(engine: Engine, records: Records) -> None:
    await open_account(engine, records)
    message = records.message(num_media=1)
    await take(engine, Intake(message, records.pending(message), (records.media(message, content_hash=None),)))
    await entered(engine, records, message, "sending", "sent", "undelivered")
    assert (await audited(engine)).faults == {"content missing": 1}


async def test_an_empty_book_balances(engine: Engine) -> None:
    assert (await audited(engine)).is_clean


@pytest.mark.parametrize(
    ("damage", "of", "kinds"),
    [
        ("DELETE FROM messages WHERE id = {id}", "queued", {"lost", "stray events", "stray pending"}),
        ("DELETE FROM messages WHERE id = {id}", "sent", {"lost", "stray events", "stray callbacks", "stray refs"}),
        ("DELETE FROM messages WHERE id = {id}", "mms", {"lost", "stray events", "stray pending", "stray media"}),
        ("DELETE FROM events WHERE message_id = {id}", "queued", {"no acceptance"}),
        (
            "DELETE FROM events WHERE message_id = {id} AND kind = 'delivered'",
            "delivered",
            {"state without event", "false callback"},
        ),
        ("UPDATE messages SET status = 'sent' WHERE id = {id}", "delivered", {"state without event"}),
        (
            "UPDATE events SET kind = 'delivered' WHERE message_id = {id} AND kind = 'sent'",
            "read",
            {"illegal move", "false callback"},
        ),
        ("DELETE FROM pending WHERE message_id = {id}", "queued", {"stuck"}),
        ("DELETE FROM pending WHERE message_id = {id}", "uncertain", {"stuck"}),
        ("UPDATE pending SET message_id = {id} WHERE message_id = {queued}", "failed", {"stuck", "queued in vain"}),
        ("UPDATE pending SET message_id = {id} WHERE message_id = {queued}", "sent", {"stuck", "queued in vain"}),
        ("UPDATE pending SET message_id = {id} WHERE message_id = {queued}", "inbound", {"stuck", "queued in vain"}),
        ("DELETE FROM callbacks WHERE message_id = {id} AND status = 'delivered'", "delivered", {"no callback"}),
        ("DELETE FROM callbacks WHERE message_id = {id} AND status = 'sent'", "sent", {"no callback"}),
        ("DELETE FROM callbacks WHERE message_id = {id}", "inbound", {"no webhook"}),
        ("DELETE FROM callbacks WHERE message_id = {id}", "whatsapp", {"no webhook"}),
        ("UPDATE callbacks SET outcome = NULL WHERE message_id = {id}", "whatsapp", {"no reason"}),
        (
            "UPDATE callbacks SET state = 'delivered', attempts = 1, outcome = '200' WHERE message_id = {id}",
            "inbound",
            {"no end"},
        ),
        ("UPDATE callbacks SET state = 'odd', finished_at = 1 WHERE message_id = {id}", "inbound", {"unknown end"}),
        (
            "UPDATE callbacks SET state = 'delivered', outcome = '200', finished_at = 1 WHERE message_id = {id}",
            "inbound",
            {"no attempt"},
        ),
        (
            "UPDATE callbacks SET state = 'delivered', attempts = 1, finished_at = 1 WHERE message_id = {id}",
            "inbound",
            {"no attempt"},
        ),
        ("UPDATE callbacks SET due_at = 99999999999999999 WHERE message_id = {id}", "inbound", {"due never"}),
        ("UPDATE pending SET due_at = expires_at + 1 WHERE message_id = {id}", "queued", {"due never"}),
        (
            "UPDATE pending SET due_at = 99999999999999999, expires_at = 99999999999999999 WHERE message_id = {id}",
            "queued",
            {"due never"},
        ),
        ("UPDATE callbacks SET status = 'sent' WHERE message_id = {id}", "read", {"no callback", "told twice"}),
        ("DELETE FROM accounts", "queued", {"no account"}),
        ("DELETE FROM media WHERE message_id = {id}", "mms", {"media missing"}),
        ("DELETE FROM media_content WHERE octets IS NOT NULL", "mms", {"content missing"}),
        ("UPDATE media SET content_hash = NULL WHERE message_id = {id}", "whatsapp", {"content missing"}),
    ],
)
async def test_damage_is_found(
    engine: Engine, url: str, records: Records, damage: str, of: str, kinds: set[str]
) -> None:
    made = await a_full_book(engine, records)
    form = "x'{}'" if engine.name == "sqlite" else "'\\x{}'::bytea"
    await execute(url, damage.format(id=form.format(made[of].id.hex()), queued=form.format(made["queued"].id.hex())))

    found = await audited(engine)

    assert found.faults.keys() == kinds
    assert not found.is_clean
    assert made[of].id.hex() in {fault.message_id for fault in found.examples}


async def test_books_that_lost_a_message_do_not_balance(engine: Engine, url: str, records: Records) -> None:
    await a_full_book(engine, records)
    await execute(url, "DELETE FROM messages WHERE status = 'failed'")
    found = await audited(engine)
    assert (found.total.accepted, found.total.failed, found.total.is_balanced) == (10, 0, False)


async def test_a_callback_that_is_there_twice_is_one_too_many(engine: Engine, records: Records) -> None:
    made = await a_full_book(engine, records)
    again = records.callback(made["inbound"], kind="inbound", status="received")
    await engine.write(lambda: _insert(again))
    found = await audited(engine)
    assert found.faults == {"told twice": 1}
    assert (found.total.callbacks, found.total.callbacks_pending, found.total.callbacks_given_up) == (12, 12, 1)
    assert not found.total.has_all_callbacks


async def test_what_an_app_was_to_hear_is_judged_by_what_was_chosen_then(
    engine: Engine, url: str, records: Records
) -> None:
    await open_account(engine, records)
    under_none = await records.sent_off(engine, dialect="signalwire", status_callback=HOOK)
    await entered(engine, records, under_none, "sending")
    told = Records(records.clock)
    told.account_id, told.terms = records.account_id, CallbackTerms(STATES, records.ids.at, None)
    under_sending = await told.sent_off(engine, dialect="signalwire", status_callback=HOOK)
    await entered(engine, told, under_sending, "sending")

    found = await audited(engine)
    assert (found.faults, found.total.callbacks) == ({}, 1)

    await execute(url, "DELETE FROM callbacks")
    found = await audited(engine)
    assert found.faults == {"no callback": 1}
    assert [fault.message_id for fault in found.examples] == [under_sending.id.hex()]


def _insert(callback: Callback) -> Operation[None]:
    yield Insert(schema.callbacks, [astuple(callback)])


@pytest.mark.parametrize("change", ["handler = 'relay_context'", "application_id = id"])
async def test_a_number_whose_messages_go_elsewhere_owes_no_webhook_for_sure(
    engine: Engine, url: str, records: Records, change: str
) -> None:
    await a_full_book(engine, records)
    await execute(url, f"DELETE FROM callbacks WHERE kind = 'inbound'; UPDATE numbers SET {change}")
    assert "no webhook" not in (await audited(engine)).faults


async def test_a_number_that_changed_lately_owes_no_webhook_for_sure(
    engine: Engine, url: str, records: Records
) -> None:
    await a_full_book(engine, records)
    await execute(url, f"DELETE FROM callbacks; UPDATE numbers SET updated_at = {records.clock.now()}")
    assert "no webhook" not in (await audited(engine)).faults
