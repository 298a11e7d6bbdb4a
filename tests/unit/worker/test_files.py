"""Spool, cache and durable files: there whole, or not at all."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from workers.cache import KEPT_DAYS, Cache, Damaged, verified_write
from workers.durable import write_durably
from workers.spool import NameInUse, Outcome, Spool

if TYPE_CHECKING:
    from pathlib import Path

DONE = Outcome(state="completed", result={"answer": 42})


def test_a_durable_file_that_cannot_be_written_leaves_the_old_one_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_durably(path, b"old")
    code = "import resource, sys; from pathlib import Path; from workers.durable import write_durably\n"
    code += "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); write_durably(Path(sys.argv[1]), b'x' * 101)"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert "File too large" in done.stderr
    assert [found.name for found in tmp_path.iterdir()] == ["file"]
    assert path.read_bytes() == b"old"


def test_an_outcome_is_there_after_a_restart_and_work_without_one_is_not(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.write_outcome(3, DONE)
    spool.begin(4)
    (spool.begin(5) / "outcome.json").write_text('{"state": "compl')
    spool.begin(6)
    os.close(spool._lock)
    again = Spool(tmp_path)
    assert again.restore() == {3: DONE}
    assert [path.name for path in (tmp_path / "operations").iterdir()] == ["3"]
    again.forget(3)
    assert list((tmp_path / "operations").iterdir()) == []
    again.forget(3)


def test_a_name_belongs_to_one_process_of_this_host(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with pytest.raises(NameInUse, match=f"process {os.getpid()} of this host"):
        Spool(tmp_path)
    os.close(spool._lock)
    Spool(tmp_path)


def test_a_download_counts_only_whole(tmp_path: Path) -> None:
    payload, path = b"bars", tmp_path / "file"
    truth = {"sha256": hashlib.sha256(payload).hexdigest(), "size": 4}
    for chunks, why in ([b"ba"], "2 of 4 bytes"), ([b"ba", b"rs!"], "more than the 4"), ([b"BARS"], "its SHA-256 is"):
        with pytest.raises(Damaged, match=why):
            verified_write(chunks, path, **truth)  # type: ignore[arg-type]
        assert list(tmp_path.iterdir()) == []
    verified_write([b"ba", b"rs"], path, **truth)  # type: ignore[arg-type]
    assert path.read_bytes() == payload


def test_the_cache_gives_out_only_what_is_whole_and_forgets_what_nobody_used(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    sha256 = hashlib.sha256(b"bars").hexdigest()
    cache.path(sha256).write_bytes(b"bars")
    found = cache.get(sha256, 4)
    assert found is not None
    cache.prune(now=found.stat().st_mtime + KEPT_DAYS * 86_400 - 1)
    assert cache.get(sha256, 4) == found
    cache.prune(now=found.stat().st_mtime + KEPT_DAYS * 86_400 + 1)
    assert cache.get(sha256, 4) is None
    cache.path(sha256).write_bytes(b"BARS")
    assert cache.get(sha256, 4) is None, "a failing disk"
    assert not cache.path(sha256).exists()
