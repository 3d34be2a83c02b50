"""Work that a node holds: given out once, and all of it given back when it closes."""

from parley.core.handoff import Handoff


def handoff(limit: int = 4) -> Handoff[str]:
    """Of pieces whose first letter names their row."""
    return Handoff(limit, lambda piece: piece[0].encode())


async def test_what_is_claimed_again_is_given_out_after_it_was_let_go_of() -> None:
    held = handoff()
    held.put(["a1", "b1", "a2"])
    assert await held.take(9) == ["a1", "b1"]
    assert (held.is_overtaken("a1"), held.is_overtaken("b1")) == (True, False)
    held.done(["b1", "a1"])
    assert await held.take(9) == ["a2"]
    held.done(["a2"])
    assert (b"a" in held, held.room) == (False, 4)


async def test_it_closes_with_work_in_its_hands_and_gives_back_what_nobody_took() -> None:
    held = handoff()
    held.put(["a1", "b1", "a2", "c1"])
    assert await held.take(1) == ["a1"]
    assert held.close() == ["b1", "c1"]
    assert (b"a" in held, b"b" in held, held.room, held.has_room) == (True, False, 0, False)
    held.done(["a1"])  # and what was put beside it is not given out any more
    assert await held.take(9) == []
    assert b"a" not in held
