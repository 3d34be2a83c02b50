"""Several clients on one context, as unmodified processes: in turn, all of them, and when one of them dies."""

from pathlib import Path

import pytest

from tests import npm
from tests.clients.kinds import RELAY, at_hand, at_once
from tests.clients.world import NODE, App, World, world


class Shared:
    """A number whose messages go to a context of its own, and the phone that writes to it."""

    def __init__(self, there: World, index: int) -> None:
        self._there = there
        self.number, self.phone, self.context = f"+1555668{index:04}", f"+1555669{index:04}", f"shared {index}"
        there.own(self.number, self.context)

    def joined(self, name: str) -> App:
        """A client of this context, which receives it by now. Version 3 of the Node client has to be the first."""
        app = self._there.start(RELAY[name], self.context)
        if name == "realtime-api-3":  # it does not tell when it is there
            self.says("Anybody?")
            app.says("^Received: Anybody")
        else:
            app.says("^Ready$")
        return app

    def says(self, *bodies: str) -> None:
        for body in bodies:
            self._there.say(self.phone, self.number, body)

    def is_answered(self, body: str, times: int = 1) -> None:
        assert len(self._there.arrived(self.phone, f"You said: {body}")) == times


def test_two_take_turns_and_one_takes_over_what_the_other_had_not_acknowledged(tmp_path: Path) -> None:
    npm.environment(NODE)
    with world(tmp_path) as there:

        def with_version_4(shared: Shared, name: str) -> None:
            stays, dies = shared.joined(name), shared.joined("realtime-api-4")
            shared.says(*"1234")
            assert stays.hears(2) | dies.hears(2) == set("1234")
            for body in "1234":
                shared.is_answered(body)
            dies.pause()
            shared.says(*"5678")
            heard = stays.hears(2)
            dies.end()
            assert heard | stays.hears(2) == set("5678")
            for body in "5678":
                shared.is_answered(body)

        names = ("realtime-api-4", "realtime-api-3")
        at_once(lambda index: with_version_4(Shared(there, index), names[index]), range(2))


def test_all_of_them_hear_everything(tmp_path: Path) -> None:
    kinds, missing = at_hand({name: kind for name, kind in RELAY.items() if not kind.needs_tls})
    names = sorted(kinds, key=lambda name: name != "realtime-api-3")
    with world(tmp_path, env={"PARLEY_RELAY_DELIVERY": "all"}) as there:
        shared = Shared(there, 0)
        apps = [shared.joined(names[0])]
        at_once(lambda name: apps.append(shared.joined(name)), [*names[1:], names[-1]])
        shared.says("To all")
        at_once(lambda app: app.answers("To all"), apps)
        shared.is_answered("To all", len(names) + 1)
    if missing:
        pytest.skip("; ".join(missing))
