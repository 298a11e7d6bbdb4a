"""What a worker keeps on disk for each operation, so that a finished result survives its own restart.

FOLDER/lock                              held for the life of the agent (flock)
FOLDER/operations/12/job.json            what the child was told
FOLDER/operations/12/checkpoints/7.ckpt  the two newest
FOLDER/operations/12/artifacts/NAME
FOLDER/operations/12/outcome.json        the end, written last: with it the operation is finished, without it not
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import shutil
import time
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError

from workers.durable import sync_folder, write_durably
from workers.faults import point
from workers.protocol import ErrorReport, Message, MetricPoint, Progress

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger("ktrdr.worker.spool")

NEEDED_MIB = 16


class NameInUse(RuntimeError):
    """Another process of this host runs a worker of this name."""


class Outcome(Message):
    """How an operation ended on this worker. `artifacts` are the names of its files in the spool."""

    state: Literal["completed", "failed", "interrupted"]
    result: dict[str, Any] | None = None
    error: ErrorReport | None = None
    artifacts: list[str] = Field(default_factory=list)
    metrics: list[MetricPoint] = Field(default_factory=list)
    progress: Progress | None = None


class NoRoom(OSError):
    """The disk of the spool is full or cannot be written; the message says where and what to do."""


class Spool:
    """The spool of one worker name. Opening it takes the name on this host; raises `NameInUse`, `NoRoom`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._operations = folder / "operations"
        try:
            self._operations.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(folder / "lock")
            _check_room(folder)
        except OSError as error:
            raise NoRoom(f"{folder} cannot be used: {error.strerror}; make room or choose another --data-dir") from None

    def operation(self, number: int) -> Path:
        """Folder of one operation, made with all its parts when it is not there."""
        folder = self._operations / str(number)
        for part in ("checkpoints", "artifacts"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        return folder

    def begin(self, number: int) -> Path:
        """An empty folder for a new start of an operation; what a try before it left is removed."""
        self.forget(number)
        folder = self.operation(number)
        sync_folder(self._operations)
        return folder

    def write_outcome(self, number: int, outcome: Outcome) -> None:
        write_durably(self.operation(number) / "outcome.json", outcome.model_dump_json().encode())

    def outcome(self, number: int) -> Outcome | None:
        """The outcome when there is a complete one."""
        try:
            return Outcome.model_validate_json((self._operations / str(number) / "outcome.json").read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            log.error("operation %s: its outcome in the spool cannot be read and is ignored: %s", number, error)
            return None

    def checkpoint(self, number: int, unit: int | str) -> Path:
        return self._operations / str(number) / "checkpoints" / f"{unit}.ckpt"

    def artifact(self, number: int, name: str) -> Path:
        return self._operations / str(number) / "artifacts" / name

    def forget(self, number: int) -> None:
        """Remove an operation. It is renamed first: a kill in the middle never leaves half an outcome."""
        folder = self._operations / str(number)
        trash = self._operations / f".trash-{number}-{os.getpid()}-{time.monotonic_ns()}"
        try:
            folder.rename(trash)
        except FileNotFoundError:
            return
        sync_folder(self._operations)
        point("spool.set_aside")
        shutil.rmtree(trash, ignore_errors=True)

    def restore(self) -> dict[int, Outcome]:
        """The finished operations a former life left; all else there is removed."""
        found = {}
        for folder in sorted(self._operations.iterdir()):
            outcome = self.outcome(int(folder.name)) if folder.name.isdecimal() else None
            if outcome is None:
                shutil.rmtree(folder, ignore_errors=True)
            else:
                found[int(folder.name)] = outcome
        return found


def _check_room(folder: Path) -> None:
    probe = folder / "probe"
    write_durably(probe, b"A file can be written here.\n")
    probe.unlink()
    if shutil.disk_usage(folder).free < NEEDED_MIB << 20:
        raise OSError(errno.ENOSPC, f"less than {NEEDED_MIB} MiB are free")


def _lock(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(handle)
        raise NameInUse(f"process {holder} of this host already runs it") from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    return handle
