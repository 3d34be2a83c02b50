"""Area codes of the United States and Canada that serve the same region: one overlays the other.

The table, nanp_overlays.txt, has a region a line. Source: NANPA's NPA report of 2026-01-05, column OVERLAY_COMPLEX; of
the overlays to come it has those whose day was set by then.
"""

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Final

_NONE: Final = frozenset[str]()


def overlays(area_code: str) -> frozenset[str]:
    """The other area codes of the region, or regions, that one serves; none where it is alone."""
    return _table().get(area_code, _NONE)


@lru_cache(maxsize=1)
def _table() -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for line in files("parley.lib").joinpath("nanp_overlays.txt").read_text("utf-8").splitlines():
        region = frozenset(line.split())
        for code in region:
            found[code] = found.get(code, _NONE) | region - {code}
    return found
