"""Bytes on their way into and out of the blob storage: there whole, verified and durable, or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, storages

from research.services.errors import Invalid, ServiceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CHUNK = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class NoSpace(ServiceError):
    """The disk of the blob storage is full."""

    status = 507
    code = "no_space"


class TooLarge(ServiceError):
    status = 413
    code = "too_large"


class Damaged(ServiceError):
    """A stored file is missing or not what was stored."""

    status = 410
    code = "damaged"


@dataclass(frozen=True, slots=True)
class Stored:
    """`blob` is the name in the storage; `size` is bytes."""

    blob: str
    sha256: str
    size: int


def storage() -> Storage:
    return storages["blobs"]


def limit() -> int:
    """Largest blob a worker may send, in bytes."""
    return int(settings.ENV.max_blob_mb) << 20


def store(name: str, chunks: Iterable[bytes], *, sha256: str = "", what: str = "blob", most: int = 0) -> Stored:
    """Write a stream under `name`; when this returns, it survives a power cut (with the file system storage).

    `sha256`, when given, must be what arrives; `most` bytes at most (0: any number). `what` names the fault points
    `WHAT.bytes_written` and `WHAT.renamed`. Raises `Invalid`, `TooLarge`, `NoSpace`; nothing is stored then.
    """
    content = _Verified(chunks, sha256=sha256, what=what, most=most)
    with _translated():
        saved = storage().save(name, content)
    return Stored(saved, content.digest, content.received)


def read(blob: str, sha256: str) -> bytes:
    """The bytes of a stored blob, verified. Raises `Damaged`."""
    return b"".join(stream(blob, sha256))


def stream(blob: str, sha256: str) -> Iterator[bytes]:
    """The chunks of a blob that was verified as a whole before the first of them. Raises `Damaged` at the call."""
    verify(blob, sha256)
    return _chunks(_open(blob))


def verify(blob: str, sha256: str) -> None:
    """Raises `Damaged` unless the stored bytes are there and have this SHA-256."""
    with _open(blob) as handle:
        hasher = hashlib.sha256()
        for chunk in handle.chunks(CHUNK):
            hasher.update(chunk)
    found = hasher.hexdigest()
    if found != sha256:
        raise Damaged(f"The stored file {blob} is damaged: its SHA-256 is {found[:12]}…, stored was {sha256[:12]}….")


def delete(blob: str) -> None:
    """Remove a blob; one that is not there is fine."""
    storage().delete(blob)


def random_suffix() -> str:
    """Makes the name of an upload its own, so that removing a refused one can never hit an accepted one."""
    return os.urandom(6).hex()


def _open(blob: str) -> File:
    try:
        return storage().open(blob, "rb")
    except FileNotFoundError:
        raise Damaged(f"The stored file {blob} is missing from the blob folder.") from None


def _chunks(handle: File) -> Iterator[bytes]:
    with handle:
        while chunk := handle.read(CHUNK):
            yield chunk


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise NoSpace(
            f"The disk of the blob folder is full ({error.strerror}); nothing was stored. "
            "Free space on the backend; the worker will send it again."
        ) from error


class _Verified(File):
    """Hashes and counts what passes; refuses at the end what is not as announced, before the storage keeps it."""

    def __init__(self, source: Iterable[bytes], *, sha256: str, what: str, most: int) -> None:
        super().__init__(None)
        self.source, self.expected, self.what, self.most = source, sha256, what, most
        self.digest, self.received = "", 0

    def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:  # noqa: ARG002
        hasher = hashlib.sha256()
        for chunk in self.source:
            self.received += len(chunk)
            if self.most and self.received > self.most:
                raise TooLarge(f"More than the {self.most >> 20} MiB that KTRDR_MAX_BLOB_MB allows arrived.")
            hasher.update(chunk)
            yield chunk
        self.digest = hasher.hexdigest()
        if self.expected and self.digest != self.expected:
            raise Invalid(
                f"The SHA-256 of what arrived is {self.digest}, announced was {self.expected}: send it again."
            )
