"""The official SDK for Node, each file of its tests as one: they say themselves what they hold."""

from pathlib import Path

import pytest

from tests import npm

FILES = sorted(Path(__file__).parent.glob("*.test.js"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.partition(".")[0])
def test_node(node: dict[str, str], file: Path) -> None:
    said = npm.run(node, file)
    assert "\n# fail 0\n" in said
    assert "\n# pass 0\n" not in said
