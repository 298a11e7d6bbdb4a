"""Blobs: whole or not there."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ktrdr_site.environment import PROJECT
from research.services import blobs, retention
from research.services.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAYLOAD = os.urandom(300_000)
SHA = hashlib.sha256(PAYLOAD).hexdigest()


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def pieces() -> Iterator[bytes]:
    for start in range(0, len(PAYLOAD), 65_536):
        yield PAYLOAD[start : start + 65_536]


def test_what_was_stored_comes_back(blob_dir: Path) -> None:
    stored = blobs.store("a/b/c", pieces(), sha256=SHA)
    assert (stored.blob, stored.sha256, stored.size) == ("a/b/c", SHA, len(PAYLOAD))
    assert blobs.read("a/b/c", SHA) == PAYLOAD
    assert files(blob_dir) == ["a/b/c"]


def test_bytes_that_are_not_what_was_announced_leave_nothing(blob_dir: Path) -> None:
    with pytest.raises(Invalid, match="announced was 000"):
        blobs.store("a", pieces(), sha256="0" * 64)
    assert files(blob_dir) == []


def test_too_many_bytes_leave_nothing(blob_dir: Path) -> None:
    with pytest.raises(blobs.TooLarge, match="KTRDR_MAX_BLOB_MB"):
        blobs.store("a", pieces(), most=100_000)
    assert files(blob_dir) == []


def test_a_sender_that_breaks_off_leaves_what_was_there(blob_dir: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    blobs.store("a", [b"before"])
    with pytest.raises(ConnectionResetError):
        blobs.store("a", broken())
    assert files(blob_dir) == ["a"]
    assert blobs.read("a", hashlib.sha256(b"before").hexdigest()) == b"before"


def test_a_full_disk_is_said_and_leaves_nothing(blob_dir: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    blobs.store("before", [b"x"])
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # the kernel refuses the write, as on a full disk
    try:
        with pytest.raises(blobs.NoSpace, match="Free space on the backend") as caught:
            blobs.store("a", pieces(), sha256=SHA)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.status == 507
    assert files(blob_dir) == ["before"]


@pytest.mark.parametrize("damage", ["cut", "altered", "gone"])
def test_a_damaged_file_is_never_handed_out(blob_dir: Path, damage: str) -> None:
    blobs.store("a", pieces(), sha256=SHA)
    path = blob_dir / "a"
    if damage == "cut":
        os.truncate(path, 1000)
    elif damage == "altered":
        path.write_bytes(b"\0" + PAYLOAD[1:])
    else:
        path.unlink()
    with pytest.raises(blobs.Damaged, match=r"damaged|missing"):
        blobs.stream("a", SHA)


@pytest.mark.parametrize(("point", "kept"), [("blob.bytes_written", []), ("blob.renamed", ["a"])])
def test_a_kill_between_two_writes_never_leaves_half_a_file(blob_dir: Path, point: str, kept: list[str]) -> None:
    code = (
        "import django; django.setup()\n"
        "from django.core.files.base import ContentFile\n"
        "from research.services.blobstorage import BlobStorage\n"
        f"BlobStorage(location={str(blob_dir)!r}).save('a', ContentFile(b'whole'))"
    )
    environment = os.environ | {"KTRDR_FAULTS": f"{point}=kill", "KTRDR_TESTING": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=PROJECT, check=False)
    assert done.returncode == -9
    assert [name for name in files(blob_dir) if not name.startswith(".incoming")] == kept
    assert all((blob_dir / name).read_bytes() == b"whole" for name in kept)


@pytest.mark.django_db
def test_a_sweep_removes_what_no_row_needs_but_not_what_is_young(blob_dir: Path) -> None:
    blobs.store("operations/1/checkpoints/5-x", [b"never committed"])
    (blob_dir / ".incoming").mkdir(exist_ok=True)
    (blob_dir / ".incoming" / "killed").write_bytes(b"half")
    assert retention.sweep_files() == 0
    assert retention.sweep_files(older_than=-1) == 2
    assert files(blob_dir) == []
