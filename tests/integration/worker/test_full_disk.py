"""A disk that takes nothing more: said in clear words, nothing half-written, and another worker may do the work."""

from __future__ import annotations

import os
import resource
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.worker.process import WorkerProcess
from workers.protocol import InputRef

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.worker.backend import Backend

MIB = 2**20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_checkpoint_too_large_for_its_disk_crashes_the_operation_and_ends_the_worker(
    backend: Backend, tmp_path: Path
) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))

    with WorkerProcess(tmp_path / "data", backend.url, before=limit) as worker:
        backend.give(3, units=9, at=2, do="fill", size=2 * MIB)
        error = backend.wait_end(3).error
        assert worker.end() == 6
    assert error is not None
    assert error.reason == "crashed", "another worker may have room"
    assert "takes nothing more" in error.message
    assert "cannot be written: File too large" in error.message
    assert "3/checkpoints/1" in backend.stored, "what was written before is saved"
    assert worker.spool_is_empty(), "nothing half-written is left"
    assert "ERROR leaving: its disk takes nothing more: make room" in worker.text
    assert "Traceback" not in worker.text


def test_an_input_that_does_not_fit_ends_the_worker(backend: Backend, small_disk: Path) -> None:
    facts = backend.offer("/bars.csv", os.urandom(26 * MIB))
    with WorkerProcess(small_disk / "data", backend.url) as worker:
        backend.give(3, inputs=[InputRef(name="bars", path="/bars.csv", **facts)])
        assert worker.end() == 6
    assert "No space left on device; make room" in worker.text
    assert "Traceback" not in worker.text
    assert not list((small_disk / "data" / "cache").iterdir()), "nothing half-written is left"


def test_on_a_full_disk_it_does_not_even_ask_for_work(backend: Backend, small_disk: Path) -> None:
    (small_disk / "other").write_bytes(b"x" * 20 * MIB)
    with WorkerProcess(small_disk / "data", backend.url) as worker:
        assert worker.end() == 6
    assert "cannot be used: less than 16 MiB are free; make room or choose another --data-dir" in worker.text
    assert not backend.calls


def test_a_folder_that_cannot_be_written_is_said(backend: Backend, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with WorkerProcess(tmp_path / "data", backend.url, "--data-dir", str(tmp_path / "file")) as worker:
        assert worker.end() == 6
    assert "cannot be used: Not a directory" in worker.text


def test_a_disk_that_fills_up_under_a_checkpoint_costs_that_try_and_with_space_again_work_goes_on(
    backend: Backend, small_disk: Path
) -> None:
    with WorkerProcess(small_disk / "data", backend.url) as worker:
        backend.give(3, units=9, at=2, do="fill", size=30 * MIB)
        error = backend.wait_end(3).error
        assert worker.end() == 6
    assert error is not None
    assert (error.reason, error.exit_code) == ("crashed", 6)
    assert "cannot be written: No space left on device" in error.message
    assert "3/checkpoints/1" in backend.stored, "what was written before is saved"
    assert not [path for path in small_disk.rglob("*.ckpt*") if path.stat().st_size >= MIB], "nothing half-written"

    filler = small_disk / "other"
    filler.write_bytes(b"x" * 20 * MIB)
    with WorkerProcess(small_disk / "data", backend.url) as worker:
        assert worker.end() == 6
    filler.unlink()
    with WorkerProcess(small_disk / "data", backend.url):
        backend.give(4, units=3)
        assert backend.wait_end(4).state == "completed"
