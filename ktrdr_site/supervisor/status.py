"""`run/supervisor.json`: which processes there are, for people, tests and `doctor`."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ktrdr_site.processes import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ktrdr_site.supervisor.child import Child


class StatusFile:
    """Written when something changed, never half."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "run" / "supervisor.json"
        self._last = ""

    def write(self, state: str, url: str, children: Iterable[Child]) -> None:
        status: dict[str, Any] = {"pid": os.getpid(), "state": state, "url": url}
        text = json.dumps(status | {"children": [child.status() for child in children]}, indent=1)
        if text != self._last:
            write_atomically(self._path, text)
            self._last = text


def read(data_dir: Path) -> dict[str, Any]:
    """What the supervisor wrote last; empty when there never was one."""
    try:
        found: dict[str, Any] = json.loads((data_dir / "run" / "supervisor.json").read_text())
    except FileNotFoundError:
        return {}
    return found
