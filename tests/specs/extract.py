"""Take the facts out of a published OpenAPI document: `python -m tests.specs.extract SOURCE TARGET`."""

import json
import sys
from pathlib import Path
from typing import Any

PROSE = {"contact", "description", "example", "examples", "externalDocs", "summary", "tags", "termsOfService"}
NAMES = {"callbacks", "paths", "properties", "responses", "schemas"}
WIDTH = 140


def facts(node: Any, *, names: bool = False) -> Any:
    """Drop prose and vendor extensions; where keys are names (`names`), `description` is one like any other."""
    if isinstance(node, list):
        return [facts(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if names or (key not in PROSE and not key.startswith("x-"))}
    return {key: facts(value, names=not names and key in NAMES) for key, value in kept.items()}


def spread(node: Any, indent: int = 0) -> str:
    """Write JSON with one line for whatever fits one, so that a change shows where it is."""
    line = json.dumps(node, ensure_ascii=False)
    if not isinstance(node, dict | list) or len(line) + indent <= WIDTH:
        return line
    pad = " " * (indent + 1)
    if isinstance(node, list):
        return "[\n" + ",\n".join(pad + spread(item, indent + 1) for item in node) + "\n" + " " * indent + "]"
    items = (f"{pad}{json.dumps(key)}: {spread(value, indent + 1)}" for key, value in node.items())
    return "{\n" + ",\n".join(items) + "\n" + " " * indent + "}"


if __name__ == "__main__":
    source, target = sys.argv[1:]
    published = json.loads(Path(source).read_text(encoding="utf-8"))
    Path(target).write_text(spread(facts(published)) + "\n", encoding="utf-8")
