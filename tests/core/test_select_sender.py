"""Which sender of a pool a message goes from."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.core.select_sender import Candidate, Pool, Why
from parley.lib.area_codes import overlays
from parley.lib.phone import region
from parley.model.address import Address, parse_recipient, parse_sender
from parley.store.stickies import Option

SAN_FRANCISCO, CHICAGO, TORONTO, LONDON, PARIS = (
    "+14155550100",
    "+13125550100",
    "+14165550100",
    "+447700900123",
    "+33612345678",
)
RECIPIENTS = ["+14155559999", "+13125559999", "+12125559999", "+14165559999", "+447700900999", "+819012345678"]


def candidate(text: str, country: str | None = None, *, can_mms: bool = True, pace: float = 0.0) -> Candidate:
    """A sender; a number's country is told by its digits unless given."""
    address = parse_sender(text)
    option = Option(1_000_000 / pace if pace else 0.0)
    return Candidate(address, region(address.value) or "" if country is None else country, can_mms, option)


def pool(*candidates: Candidate, by_area: bool = True, refuses: Sequence[tuple[str, str]] = ()) -> Pool:
    """A pool under rules that refuse these kinds of sender in these countries."""
    return Pool(candidates, lambda sender, country: (sender.kind, country) not in refuses, by_area=by_area)


def chosen(pool: Pool, recipient: str, *, needs_mms: bool = False) -> tuple[str, Why] | None:
    to = parse_recipient(recipient)
    group = pool.group(to, needs_mms=needs_mms)
    return (group.take_turn().address.text, group.why) if group is not None else None


@pytest.mark.parametrize(
    ("senders", "recipient", "expected"),
    [
        ([CHICAGO, SAN_FRANCISCO], "+14155559999", (SAN_FRANCISCO, "area_code")),
        ([CHICAGO, TORONTO], "+14155559999", (CHICAGO, "country")),
        ([CHICAGO, LONDON], "+447700900999", (LONDON, "country")),
        ([CHICAGO, LONDON], "+447911123456", (LONDON, "country")),  # Guernsey's, with which Britain is shown
        ([TORONTO, CHICAGO, PARIS], "+447700900999", (CHICAGO, "us_number")),
        ([TORONTO], "+447700900999", (TORONTO, "any")),
        ([TORONTO, CHICAGO], "+14165559999", (TORONTO, "area_code")),
        ([CHICAGO, SAN_FRANCISCO], "+16285559999", (SAN_FRANCISCO, "overlay")),
        (["+16285550100", SAN_FRANCISCO], "+14155559999", (SAN_FRANCISCO, "area_code")),
        (["+13475550100", "+16465550100"], "+12125559999", ("+16465550100", "overlay")),
        (["+13475550100", "+16465550100"], "+17185559999", ("+13475550100", "overlay")),
        ([CHICAGO, TORONTO], "+16475559999", (TORONTO, "overlay")),
        (["+17875550100", CHICAGO], "+19395559999", ("+17875550100", "country")),  # Puerto Rico is in neither
    ],
)
def test_a_number_of_the_recipients_country_comes_first_then_one_of_the_us(
    senders: list[str], recipient: str, expected: tuple[str, Why]
) -> None:
    assert chosen(pool(*map(candidate, senders)), recipient) == expected


def test_area_codes_count_only_where_the_service_wants_it() -> None:
    for recipient in ("+14155559999", "+16285559999"):
        by_country = pool(candidate(CHICAGO), candidate(SAN_FRANCISCO), by_area=False)
        found = {chosen(by_country, recipient) for _ in range(2)}
        assert found == {(CHICAGO, "country"), (SAN_FRANCISCO, "country")}


def test_a_short_code_comes_first_in_its_own_country_and_never_elsewhere() -> None:
    mixed = pool(candidate(SAN_FRANCISCO), candidate("12345", "US"), candidate(LONDON))
    assert chosen(mixed, "+14155559999") == ("12345", "short_code")
    assert chosen(mixed, "+447700900999") == (LONDON, "country")
    assert chosen(pool(candidate("12345", "US")), "+447700900999") is None


def test_a_name_goes_before_numbers_where_names_are_taken_and_the_countrys_own_name_first() -> None:
    senders = [candidate(LONDON), candidate("ACME", ""), candidate("ACME FR", "FR"), candidate(CHICAGO)]
    mixed = pool(*senders, refuses=[("alphanumeric", "US")])
    assert chosen(mixed, "+447700900999") == ("ACME", "alphanumeric")
    assert chosen(mixed, "+33612345999") == ("ACME FR", "alphanumeric")
    assert chosen(mixed, "+12125559999") == (CHICAGO, "country")


def test_media_go_only_from_senders_that_take_them() -> None:
    mixed = pool(candidate(SAN_FRANCISCO, can_mms=False), candidate(CHICAGO), candidate("ACME", "", can_mms=False))
    assert chosen(mixed, "+14155559999", needs_mms=True) == (CHICAGO, "country")
    assert chosen(pool(candidate("ACME", "", can_mms=False)), "+447700900999", needs_mms=True) is None


def test_each_channel_is_served_by_its_own_senders() -> None:
    mixed = pool(candidate(CHICAGO), candidate(f"whatsapp:{LONDON}"))
    assert chosen(mixed, "whatsapp:+14155559999") == (f"whatsapp:{LONDON}", "channel")
    assert chosen(mixed, "+447700900999") == (CHICAGO, "us_number")
    assert chosen(pool(candidate(CHICAGO)), "whatsapp:+14155559999") is None


def test_a_recipient_who_is_in_the_pool_is_written_to_by_another() -> None:
    assert {chosen(pool(candidate(CHICAGO), candidate("+13125550101")), CHICAGO) for _ in range(4)} == {
        ("+13125550101", "area_code")
    }
    assert chosen(pool(candidate(CHICAGO), candidate(SAN_FRANCISCO)), CHICAGO) == (SAN_FRANCISCO, "country")
    assert chosen(pool(candidate(CHICAGO), candidate("12345", "US")), CHICAGO) == ("12345", "short_code")
    assert chosen(pool(candidate(CHICAGO)), CHICAGO) is None


def test_a_recipient_keeps_its_sender_until_there_is_a_local_one() -> None:
    def keeps(*senders: Candidate, recipient: str = "+447700900999") -> set[str]:
        group = pool(*senders).group(parse_recipient(recipient), needs_mms=False)
        return set(group.keeps) if group is not None else set()

    abroad, name = candidate(CHICAGO), candidate("ACME", "")
    assert keeps(abroad) == {CHICAGO}
    assert keeps(abroad, name) == {CHICAGO, "ACME"}
    assert keeps(abroad, name, candidate(LONDON)) == {"ACME", LONDON}
    assert keeps(abroad, name, candidate("60123", "GB")) == {"ACME", "60123"}
    # Another area of the same country is local all the same.
    assert keeps(abroad, candidate(SAN_FRANCISCO), recipient="+14155559999") == {CHICAGO, SAN_FRANCISCO}


SENDERS = st.sampled_from(
    [
        candidate(CHICAGO, pace=1.0),
        candidate(SAN_FRANCISCO, can_mms=False),
        candidate(TORONTO, pace=3.0),
        candidate(LONDON),
        candidate(PARIS, can_mms=False),
        candidate("12345", "US", pace=100.0),
        candidate("60123", "GB"),
        candidate("ACME", "", can_mms=False),
        candidate("ACME FR", "FR", can_mms=False),
        candidate(f"whatsapp:{LONDON}"),
    ]
)
KINDS = st.tuples(
    st.sampled_from(["e164", "short_code", "alphanumeric"]), st.sampled_from(["US", "CA", "GB", "JP", "FR"])
)


@given(
    senders=st.lists(SENDERS, unique=True, max_size=8),
    refuses=st.frozensets(KINDS, max_size=6),
    recipients=st.lists(st.sampled_from([*RECIPIENTS, CHICAGO, "whatsapp:+14155559999"]), min_size=1, max_size=6),
    needs_mms=st.booleans(),
    by_area=st.booleans(),
)
def test_never_a_sender_that_the_rules_forbid(
    senders: list[Candidate], refuses: frozenset[tuple[str, str]], recipients: list[str], needs_mms: bool, by_area: bool
) -> None:
    def allows(sender: Address, country: str | None) -> bool:
        return (sender.kind, country) not in refuses

    mixed = Pool(senders, allows, by_area=by_area)
    for text in recipients:
        recipient = parse_recipient(text)
        country = region(recipient.value)
        may = {
            each.address.text
            for each in senders
            if each.address != recipient
            and each.address.channel == recipient.channel
            and (each.address.channel != "sms" or each.address.kind == "e164" or each.country in ("", country))
            and (each.can_mms or not needs_mms)
            and allows(each.address, country)
        }
        group = mixed.group(recipient, needs_mms=needs_mms)
        if group is None:
            assert not may, "somebody could have written"
            continue
        one = group.take_turn()
        assert one.address.text in may
        assert one.address.text in group.keeps
        assert set(group.keeps) <= may


AREAS = st.sampled_from(["212", "646", "917", "718", "347", "415", "628", "416", "647", "312", "808"])


@given(areas=st.lists(AREAS, unique=True, min_size=1), recipient=AREAS)
def test_nobody_of_a_nearer_area_code_of_the_country_is_passed_over(areas: list[str], recipient: str) -> None:
    senders = [candidate(f"+1{area}5550100") for area in areas]
    country = region(f"+1{recipient}5559999")
    group = pool(*senders).group(parse_recipient(f"+1{recipient}5559999"), needs_mms=False)
    assert group is not None
    near = [
        ("area_code", {recipient} & set(areas)),
        ("overlay", overlays(recipient) & set(areas)),
        ("country", {area for area in areas if region(f"+1{area}5550100") == country}),
    ]
    why, best = next(((why, best) for why, best in near if best), (group.why, set(areas)))
    assert group.why == why
    assert group.take_turn().address.value[2:5] in best


@given(
    paces=st.lists(st.sampled_from([0.0, 1.0, 3.0, 3.75, 12.0, 100.0, 225.0]), min_size=1, max_size=12),
    rounds=st.integers(1, 20),
)
def test_turns_are_spread_by_pace_within_a_tenth(paces: list[float], rounds: int) -> None:
    senders = [candidate(f"+1212555{n:04d}", pace=pace) for n, pace in enumerate(paces)]
    group = pool(*senders).group(parse_recipient("+12125559999"), needs_mms=False)
    assert group is not None
    weights = [pace or 1000.0 for pace in paces]
    count = round(sum(weights) / min(weights)) * rounds
    turns: Counter[str] = Counter()
    for _ in range(count):
        turns[group.take_turn().address.text] += 1
    for sender, weight in zip(senders, weights, strict=True):
        fair = count * weight / sum(weights)
        assert abs(turns[sender.address.text] - fair) <= max(0.1 * fair, 1.0)


def test_equal_senders_take_turns_one_after_the_other() -> None:
    senders = [f"+1212555{n:04d}" for n in range(5)]
    equal = pool(*map(candidate, senders))
    assert [chosen(equal, "+12125559999") for _ in range(10)] == [(sender, "area_code") for sender in senders] * 2
