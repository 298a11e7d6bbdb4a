"""Mechanisms switched off one at a time, in a copy of the project: the tests that guard each must go red.

Each entry of `sabotage/*.toml`:

    [[sabotage]]
    rows = [12]                         # scenarios whose tests this is about
    what = "a retry begins at unit 0"   # the mechanism that is switched off, in words
    edits = [{ file = "research/x.py", find = "exact text, once in the file", replace = "what stands there instead" }]
    tests = ["tests/acceptance/recovery/test_x.py::test_y"]
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ktrdr_site.environment import PROJECT
from tests.scenarios.marks import HERE

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Edit:
    """Text that stands exactly once in a file, and what replaces it."""

    file: str
    find: str
    replace: str

    def apply(self, project: Path) -> None:
        """Rewrite the file below `project`. Raises `ValueError` unless the text stands there exactly once."""
        path = project / self.file
        text = path.read_text()
        if text.count(self.find) != 1:
            raise ValueError(f"{self.file}: {self.find!r} stands there {text.count(self.find)} times, not once")
        path.write_text(text.replace(self.find, self.replace))


@dataclass(frozen=True)
class Sabotage:
    """One mechanism switched off; every one of `tests` must then fail."""

    topic: str
    rows: tuple[int, ...]
    what: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]


def sabotages() -> list[Sabotage]:
    files = sorted((HERE / "sabotage").glob("*.toml"))
    return [_read(path.stem, one) for path in files for one in tomllib.loads(path.read_text())["sabotage"]]


def _read(topic: str, entry: dict[str, Any]) -> Sabotage:
    edits = tuple(Edit(**one) for one in entry["edits"])
    return Sabotage(topic, tuple(entry["rows"]), entry["what"], edits, tuple(entry["tests"]))


def covered() -> set[str]:
    """Every test file::name that some sabotage has seen red, parameters left out."""
    return {test.split("[")[0] for one in sabotages() for test in one.tests}


def source(test: str) -> Path:
    return PROJECT / test.split("::", maxsplit=1)[0]
