"""Django's file system storage, made durable: a file appears under its name whole, synced, in one step."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.files.storage import FileSystemStorage

from workers.durable import sync_folder
from workers.faults import point

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.core.files import File

INCOMING = ".incoming"


class BlobStorage(FileSystemStorage):
    """`save` replaces a file of the same name. A write that fails or is killed leaves at most a file in `.incoming`."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:  # noqa: ARG002
        return name

    def _save(self, name: str, content: File[Any]) -> str:
        target, what = Path(self.path(name)), getattr(content, "what", "blob")
        incoming = self._incoming()
        fresh = incoming / f"{os.getpid()}.{time.monotonic_ns()}.{os.urandom(4).hex()}"
        try:
            _write(fresh, content)
            point(f"{what}.bytes_written")
            self._publish(fresh, target)
        finally:
            fresh.unlink(missing_ok=True)
        point(f"{what}.renamed")
        return name

    def _publish(self, fresh: Path, target: Path) -> None:
        made = [folder for folder in (target.parent, *target.parent.parents) if not folder.exists()]
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.replace(target)
        for folder in {target.parent, *(new.parent for new in made)}:
            sync_folder(folder)

    def _incoming(self) -> Path:
        folder = Path(self.location) / INCOMING
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def files(self, *, older_than: float) -> Iterator[tuple[str, bool]]:
        """Every file not touched for `older_than` seconds: its name, and whether it is a write that never ended."""
        root = Path(self.location)
        oldest = time.time() - older_than
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.stat().st_mtime < oldest:
                name = path.relative_to(root)
                yield name.as_posix(), name.parts[0] == INCOMING


def _write(path: Path, content: File[Any]) -> None:
    with path.open("xb") as handle:
        for chunk in content.chunks():
            handle.write(chunk)
        handle.flush()
        os.fsync(handle.fileno())
