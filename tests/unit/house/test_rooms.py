"""The house as the docs draw it is the house that stands."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from ktrdr_site.environment import PROJECT, example

if TYPE_CHECKING:
    from pathlib import Path

ARCHITECTURE = (PROJECT / "docs" / "architecture.md").read_text()
GROUND_FLOOR = {"manage.py", "ktrdr_site", "research", "workers", "templates", "static", "tests", "docs"}
LONGEST = 400
GENERATED = {"requirements/base.txt", "requirements/dev.txt"}


def _tracked() -> list[Path]:
    """Every file of the repository that is ours to read: neither data nor vendored nor generated."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    ours = [name for name in listed if not name.startswith(("data/", "static/vendor/")) and name not in GENERATED]
    return [PROJECT / name for name in ours if (PROJECT / name).is_file()]


def _drawn() -> set[str]:
    """Folders named in the drawing of the rooms, relative to the project."""
    drawing = ARCHITECTURE.split("## Rooms")[1].split("```")[1]
    found, home = set(), ""
    for line in drawing.splitlines():
        names = re.findall(r"(?:^|\s{2,})([a-z_]+)/(?=\s|$)", line)
        if names and not line.startswith(" "):
            home = names[0]
            found |= set(names)
        else:
            found |= {f"{home}/{name}" for name in names}
    return found


def _standing(home: str) -> set[str]:
    folders = [one for one in (PROJECT / home).iterdir() if one.is_dir() and not one.name.startswith(("_", "."))]
    return {f"{home}/{one.name}" for one in folders if any(one.rglob("*.py"))}


@pytest.mark.parametrize("home", ["ktrdr_site", "research", "workers"])
def test_every_room_that_stands_is_drawn_and_every_drawn_one_stands(home: str) -> None:
    drawn = {room for room in _drawn() if room.startswith(f"{home}/")}
    assert drawn == _standing(home) - {"research/migrations"}


def test_the_ground_floor_is_what_the_customer_set() -> None:
    missing = [name for name in GROUND_FLOOR if not (PROJECT / name).exists()]
    assert not missing
    assert {room for room in _drawn() if "/" not in room} <= GROUND_FLOOR


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    text = [path for path in _tracked() if path.suffix in {".py", ".js", ".css", ".html", ".md", ".sql", ".toml"}]
    long = {str(path): lines for path in text if (lines := len(path.read_text().splitlines())) > LONGEST}
    assert len(text) > 100
    assert not long


def test_the_example_of_the_environment_is_the_one_the_settings_write() -> None:
    written = (PROJECT / ".env.example").read_text()
    assert written == example(), "run: python -m ktrdr_site.environment > .env.example"


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/architecture.md",
        "docs/recovery.md",
        "docs/adr/README.md",
        "docs/operations.md",
        "docs/worker-protocol.md",
        "docs/strategy.md",
        "docs/states.md",
    ],
)
def test_every_link_to_a_file_of_ours_leads_somewhere(page: str) -> None:
    path = PROJECT / page
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text()) if "://" not in link]
    assert not [link for link in links if not (path.parent / link).exists()]


def test_every_test_that_recovery_names_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+?)(?:\[|`)", (PROJECT / "docs" / "recovery.md").read_text())
    assert named
    for file, test in named:
        assert f"def {test.rstrip('_')}" in (PROJECT / file).read_text(), test
