"""Every named fault point of the source, found in the source itself, so that no list of them can go stale."""

from __future__ import annotations

import ast
from itertools import product
from typing import TYPE_CHECKING, Final

from ktrdr_site.environment import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOMS: Final = ("workers", "research", "ktrdr_site")
PLACEHOLDERS: Final = {
    "kind": ("design", "assessment"),  # of an in-process operation
    "blob.kind": ("checkpoint", "artifact"),  # of an upload
    "what": ("checkpoint", "artifact", "dataset"),  # of a stored blob
}


def named() -> set[str]:
    """The names of all fault points. Raises `AssertionError` for one whose name cannot be told from the source."""
    return {
        name for room in ROOMS for path in (PROJECT / room).rglob("*.py") for name in _in(ast.parse(path.read_text()))
    }


def _in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"point", "faults.point"}:
            yield from _names(node.args[0])


def _names(argument: ast.expr) -> Iterator[str]:
    """Of a text, or of an f-string of which every value is known here."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
        return
    assert isinstance(argument, ast.JoinedStr), f"line {argument.lineno}: a fault point needs its name written out"
    parts = [_values(part) for part in argument.values]
    yield from ("".join(chosen) for chosen in product(*parts))


def _values(part: ast.expr) -> tuple[str, ...]:
    if isinstance(part, ast.FormattedValue):
        word = ast.unparse(part.value)
        assert word in PLACEHOLDERS, f"line {part.lineno}: say in PLACEHOLDERS what {{{word}}} can be"
        return PLACEHOLDERS[word]
    assert isinstance(part, ast.Constant)
    return (str(part.value),)
