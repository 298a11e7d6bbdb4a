"""One supervisor per data folder."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from ktrdr_site.supervisor.errors import AlreadyUp

if TYPE_CHECKING:
    from pathlib import Path


def take(data_dir: Path) -> int:
    """Take the lock for as long as this process lives. Raises `AlreadyUp`, naming the process that has it."""
    path = data_dir / "run" / "supervisor.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode().strip() or "unknown"
        os.close(descriptor)
        raise AlreadyUp(
            f"KTRDR already runs in {data_dir} (pid {holder}). Stop that one, or set KTRDR_DATA_DIR to another folder."
        ) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor
