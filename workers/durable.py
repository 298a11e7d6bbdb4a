"""Files that are either there whole or not at all, also after a power cut. For child and agent."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final

from workers.faults import point

if TYPE_CHECKING:
    from pathlib import Path

EXIT_DISK: Final = 6
"""Exit code of an agent or a child whose disk takes nothing more."""

_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}


def is_disk_trouble(error: BaseException) -> bool:
    """Whether the disk is the cause: full, over quota, read-only or failing. Another host may do better."""
    return isinstance(error, OSError) and error.errno in _DISK


def write_durably(path: Path, payload: bytes) -> None:
    """Temporary file, fsync, rename, fsync of the folder: when this returns, the file survives a power cut.

    Raises `OSError`, with the file as it was before and nothing beside it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as handle:
            handle.write(payload)
            handle.flush()
            os.fsync(handle.fileno())
        point("file.written")
        temporary.replace(path)
        point("file.renamed")
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
