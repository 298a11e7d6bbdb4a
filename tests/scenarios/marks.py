"""Which test shows which scenario: read from `@pytest.mark.scenario(12)` above it, without importing the test."""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ktrdr_site.environment import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HERE = PROJECT / "tests" / "scenarios"
LEVELS = {"unit": "U", "integration": "I", "acceptance": "A"}


@dataclass(frozen=True)
class Row:
    """One scenario of the contract; `levels` are those it has to be shown at: U, I, A."""

    number: int
    scenario: str
    expected: str
    levels: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """A test that shows a scenario."""

    number: int
    file: str
    test: str

    @property
    def level(self) -> str:
        return LEVELS[self.file.split("/")[1]]

    @property
    def node(self) -> str:
        return f"{self.file}::{self.test}"


def rows() -> list[Row]:
    read = tomllib.loads((HERE / "rows.toml").read_text())["row"]
    return [Row(**one | {"levels": tuple(one["levels"])}) for one in read]


def shown() -> list[Shown]:
    """Every marked test, by number, level and name."""
    files = [path for home in LEVELS for path in sorted((PROJECT / "tests" / home).rglob("*.py"))]
    found = [one for path in files for one in _in_file(path)]
    return sorted(found, key=lambda one: (one.number, "UIA".index(one.level), one.file, one.test))


def _in_file(path: Path) -> Iterator[Shown]:
    source = path.read_text()
    if "scenario" not in source:
        return
    file = str(path.relative_to(PROJECT))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            numbers = {number for decorator in node.decorator_list for number in _numbers(decorator)}
            yield from (Shown(number, file, node.name) for number in sorted(numbers))


def _numbers(decorator: ast.expr) -> Iterator[int]:
    for node in ast.walk(decorator):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "scenario":
            yield from (int(_constant(argument)) for argument in node.args)


def _constant(node: ast.expr) -> Any:
    return ast.literal_eval(node)
