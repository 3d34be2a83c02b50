"""Select a sender: of all that a service has, those that may write to a recipient, and whose turn it is among the best.

Sources: Twilio's support articles on sender selection (223181268) and on sticky senders (15361592743835).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import heapify, heapreplace
from typing import Final, Literal

import msgspec

from parley.lib.area_codes import overlays
from parley.lib.phone import market
from parley.model.address import Address, Channel
from parley.store.stickies import Option

Why = Literal[
    "given",
    "sticky",
    "channel",
    "short_code",
    "alphanumeric",
    "area_code",
    "overlay",
    "country",
    "us_number",
    "any",
]
"""Why a sender was chosen:
- given: the request names it
- sticky: the service wrote to the recipient from it before
- channel: it is on the recipient's channel
- short_code: a short code of the recipient's country
- alphanumeric: a name, where the country takes names
- area_code: a number of the recipient's area code (US and Canada)
- overlay: a number of another area code of the recipient's region
- country: a number of the recipient's country
- us_number: there is none of that country, but one of the US
- any: there is neither
"""

_BY_AREA: Final = frozenset({"US", "CA"})
_UNPACED_US: Final = 1000.0
"""What a segment takes an unlimited sender when it shares with paced ones."""
_LOCAL: Final[frozenset[Why]] = frozenset({"short_code", "area_code", "overlay", "country"})
_KEPT_BESIDE_LOCAL: Final = _LOCAL | {"alphanumeric", "channel"}


class Candidate(msgspec.Struct, frozen=True):
    """A sender of a pool."""

    address: Address
    country: str = ""
    """ISO 3166-1: a number's own, or the one that a name is for (empty: for every country)."""
    can_mms: bool = True
    option: Option = Option()
    """What sending from it takes."""


Allows = Callable[[Address, str | None], bool]
"""Whether a sender may write to recipients of a country; None is the country of those who belong to none."""


class Group:
    """The best senders for some recipients, who take turns by their pace, and all from whom a recipient may go on."""

    def __init__(self, why: Why, best: Sequence[Candidate], keeps: Iterable[Candidate]) -> None:
        self.why = why
        self.keeps: Mapping[str, Option] = {candidate.address.text: candidate.option for candidate in keeps}
        """Who may stay the sender of a recipient, by address."""
        self._best = best
        # Each has its next turn one share of its pace after its last: the heap's first is who is due.
        self._turns = [(_share_us(candidate), n) for n, candidate in enumerate(best)]
        heapify(self._turns)

    def take_turn(self) -> Candidate:
        """Whose turn it is."""
        at, n = self._turns[0]
        candidate = self._best[n]
        heapreplace(self._turns, (at + _share_us(candidate), n))
        return candidate


class Pool:
    """A service's senders. With `by_area` a number of the recipient's own area code, and then one of an area code that
    serves the same region, comes before the country's others.

    Every node spreads by itself: the turns are its own.
    """

    def __init__(self, candidates: Sequence[Candidate], allows: Allows, *, by_area: bool) -> None:
        self.candidates = candidates
        self.by_address: Mapping[str, Candidate] = {candidate.address.text: candidate for candidate in candidates}
        self.by_area = by_area
        self._allows = allows
        areas = frozenset(map(_area, candidates)) if by_area else frozenset[str]()
        self._areas = areas.union(*map(overlays, areas))
        self._groups: dict[tuple[Channel, str | None, str, str | None, bool], Group | None] = {}

    def group(self, recipient: Address, *, needs_mms: bool) -> Group | None:
        """Who may write to a recipient, who is not among them though it may be in the pool; None when nobody may."""
        country = market(recipient.value)
        area = recipient.value[2:5] if country in _BY_AREA else ""
        area = area if area in self._areas else ""
        itself = text if (text := recipient.text) in self.by_address else None
        key = (recipient.channel, country, area, itself, needs_mms)
        try:
            return self._groups[key]
        except KeyError:
            group = self._groups[key] = self._form(recipient.channel, country, area, itself, needs_mms=needs_mms)
            return group

    def _form(
        self, channel: Channel, country: str | None, area: str, itself: str | None, *, needs_mms: bool
    ) -> Group | None:
        ranked: list[tuple[int, Why, Candidate]] = []
        for candidate in self.candidates:
            if candidate.address.channel != channel or (needs_mms and not candidate.can_mms):
                continue
            if candidate.address.text == itself:
                continue
            rank = _rank(candidate, country, area)
            if rank is not None and self._allows(candidate.address, country):
                ranked.append((*rank, candidate))
        if not ranked:
            return None
        first, why, _ = min(ranked, key=lambda one: one[0])
        best = [candidate for rank, _, candidate in ranked if rank == first]
        # Numbers from abroad give way to local ones, whomever they wrote to before.
        kept = _KEPT_BESIDE_LOCAL if any(why in _LOCAL for _, why, _ in ranked) else None
        keeps = (candidate for _, why, candidate in ranked if kept is None or why in kept)
        return Group(why, best, keeps)


def _rank(candidate: Candidate, country: str | None, area: str) -> tuple[int, Why] | None:
    """Which choice a sender is for recipients of a country, 0 the first; None when it is none."""
    address = candidate.address
    if address.channel != "sms":
        return 0, "channel"
    is_local = candidate.country == country
    match address.kind:
        case "short_code":
            return (0, "short_code") if is_local else None
        case "alphanumeric":
            if candidate.country:
                return (1, "alphanumeric") if is_local else None
            return 2, "alphanumeric"
        case "e164":
            if is_local:
                return _near(area, _area(candidate))
            return (6, "us_number") if candidate.country == "US" else (7, "any")


def _near(area: str, other: str) -> tuple[int, Why]:
    """How near a number of the recipient's country is, by their area codes; '' where these do not count."""
    if area and area == other:
        return 3, "area_code"
    return (4, "overlay") if other in overlays(area) else (5, "country")


def _area(candidate: Candidate) -> str:
    is_number = candidate.address.kind == "e164" and candidate.country in _BY_AREA
    return candidate.address.value[2:5] if is_number else ""


def _share_us(candidate: Candidate) -> float:
    return candidate.option.segment_us or _UNPACED_US
