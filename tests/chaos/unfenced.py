"""The test build: a copy of the project whose fence is cut out. The product itself has no switch that could do that.

What a runner says of an operation that is no longer its own then counts. `unfenced.toml` holds the cuts, in the form of
`tests/scenarios/sabotages.py`: each fits exactly once, or building fails.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ktrdr_site.environment import PROJECT
from tests.scenarios.sabotages import Edit

if TYPE_CHECKING:
    from collections.abc import Sequence

MARK = "UNFENCED"
_CUTS = Path(__file__).with_name("unfenced.toml")
_LEFT_OUT: Final = shutil.ignore_patterns(".git", ".venv", "var", "*_cache", ".hypothesis", MARK)


def cuts() -> list[Edit]:
    return [Edit(**{name: one[name] for name in ("file", "find", "replace")})
            for one in tomllib.loads(_CUTS.read_text())["cut"]]  # fmt: skip


def is_unfenced() -> bool:
    """Whether this very project is such a copy."""
    return (PROJECT / MARK).exists()


def build(folder: Path) -> Path:
    """A copy below `folder`, without its fence. Raises `ValueError` when a cut does not fit the code any more."""
    copy = folder / "unfenced"
    shutil.copytree(PROJECT, copy, ignore=_LEFT_OUT)
    (copy / ".venv").symlink_to((PROJECT / ".venv").resolve())
    for cut in cuts():
        cut.apply(copy)
    (copy / MARK).write_text("A test build: its fence is cut out. Never use it.\n")
    return copy


def run(arguments: Sequence[str], *, capture: bool = False) -> subprocess.CompletedProcess[str]:
    """Python with these arguments, in such a copy, which is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="ktrdr-unfenced-") as folder:
        return subprocess.run([sys.executable, *arguments], cwd=build(Path(folder)), text=True, check=False,
                              capture_output=capture)  # fmt: skip
