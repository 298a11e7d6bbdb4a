"""`manage.py research export ID DIR`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from research import exports
from research.management.actions import json_option
from research.selectors import researches
from research.services.errors import Invalid

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Mapping

    from research.management.terminal import Out


class Export:
    help = "Write everything of a research to a new folder, with what makes it again elsewhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", type=int, metavar="ID")
        parser.add_argument("folder", type=Path, metavar="DIR", help="must not exist yet, or be empty")
        json_option(parser)

    def run(self, out: Out, options: Mapping[str, Any]) -> None:
        research, folder = researches.get(options["id"]), Path(os.path.abspath(options["folder"]))  # noqa: PTH100 - a link stays one
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise Invalid(f"{folder} is there already and not empty: give the path of a new folder.")
        try:
            written = _write(research, folder)
        except OSError as problem:
            raise Invalid(f"{folder} cannot be written: {problem.strerror}. Give another folder.") from None
        if options["json"]:
            return out.json({"id": research.pk, "folder": str(folder), "files": written})
        size = sum(written.values()) / 2**20
        out.line(f"Research {research.pk} is in {folder}: {len(written)} files, {size:.1f} MiB.")
        out.line(out.tint(f"Look at it: {folder / 'sheet.html'}", "quiet"))
        return None


def _write(research: Any, folder: Path) -> dict[str, int]:
    """Name and size of each file. The folder appears whole, or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    written = {}
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as place:
        for name, content in exports.files(research):
            path = Path(place) / "export" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            written[name] = len(content)
        (Path(place) / "export").rename(folder)
    return written
