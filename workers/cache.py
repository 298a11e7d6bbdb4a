"""Inputs fetched once and kept by their hash. A file in the cache is complete and was verified on its way in."""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

from workers.faults import point

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

KEPT_DAYS = 14


class Damaged(ValueError):
    """What arrived is not what was announced (size or SHA-256)."""


def verified_write(chunks: Iterable[bytes], path: Path, *, sha256: str, size: int) -> None:
    """Write a stream to `path`, atomically, once its size (bytes) and SHA-256 are right; raises `Damaged`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}.tmp")
    try:
        with temporary.open("wb") as handle:
            _copy(chunks, handle.write, sha256, size)
            handle.flush()
            os.fsync(handle.fileno())
        point("input.written")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _copy(chunks: Iterable[bytes], write: Callable[[bytes], int], sha256: str, size: int) -> None:
    digest, received = hashlib.sha256(), 0
    for chunk in chunks:
        received += len(chunk)
        if received > size:
            raise Damaged(f"more than the {size} bytes announced arrived")
        digest.update(chunk)
        write(chunk)
    if received != size:
        raise Damaged(f"{received} of {size} bytes arrived")
    if digest.hexdigest() != sha256:
        raise Damaged(f"its SHA-256 is {digest.hexdigest()}, announced was {sha256}")


def file_sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


class Cache:
    """Files by SHA-256 in one folder, shared by all workers of a host."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, sha256: str, size: int) -> Path | None:
        """The cached file, if it is there and whole; a damaged one (a failing disk) is removed."""
        path = self.folder / sha256
        if not path.is_file():
            return None
        if path.stat().st_size != size or file_sha256(path) != sha256:
            path.unlink(missing_ok=True)
            return None
        os.utime(path)
        return path

    def path(self, sha256: str) -> Path:
        return self.folder / sha256

    def prune(self, *, now: float) -> None:
        """Remove files nobody used for `KEPT_DAYS`; `now` in seconds since the epoch."""
        for path in self.folder.iterdir():
            try:
                if now - path.stat().st_mtime > KEPT_DAYS * 86_400:
                    path.unlink()
            except FileNotFoundError:
                continue  # another worker of this host was faster
