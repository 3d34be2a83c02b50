"""Reading the source tree as syntax: which files there are, what they import, which names they use, what they say."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "parley"


def modules(*within: str) -> list[Path]:
    """List the Python files of the package, or of the given parts of it."""
    places = [PACKAGE / part for part in within] or [PACKAGE]
    return sorted(path for place in places for path in place.rglob("*.py"))


def layer(path: Path) -> str:
    """Name the rung that a file of the package stands on: `core`, `store`, `settings`."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def parse(path: Path) -> ast.Module:
    """Read a file as syntax."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(tree: ast.Module) -> set[str]:
    """Collect what a module imports, in full: `from a.b import c` counts as `a.b.c`, since c may be a module."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def uses(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield each imported thing that is used, as (line, full dotted name), whatever it was called locally."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            head, _, rest = _dotted(node).partition(".")
            if head in known:
                yield node.lineno, f"{known[head]}.{rest}".rstrip(".")


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield each string of a module that is not a docstring, f-strings by their parts, as (line, text)."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(statement.value)
        for node in ast.walk(tree)
        if isinstance(node, documented)
        for statement in node.body
        if isinstance(statement, ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""
