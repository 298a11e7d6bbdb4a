"""The backup that `docs/operations.md` describes, and coming back from it in a new folder."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.recovery.cast import SHORT, completed, load_sample, show, start
from tests.support.stack import MANAGE, Stack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.acceptance
KEPT = ("blobs", "secrets")


def test_a_backup_of_the_running_product_comes_back_whole_in_a_new_folder(tmp_path: Path) -> None:
    dump = str(tmp_path / "ktrdr.dump")
    with Stack(tmp_path / "old") as old:
        load_sample(old)
        before = completed(old, start(old, *SHORT))
        old.manage("localpg", "dump", "--file", dump)
        for name in KEPT:
            shutil.copytree(tmp_path / "old" / name, tmp_path / "new" / name)
        refused = old.manage("localpg", "restore", "--file", dump, check=False)
    assert refused.returncode == 2
    assert "not empty" in refused.stderr

    new = Stack(tmp_path / "new")
    with subprocess.Popen([*MANAGE, "localpg", "start"], env=new.environment, stdout=subprocess.DEVNULL) as server:
        wait_until(lambda: _runs(new), timeout=60, what="the new PostgreSQL runs")
        new.manage("localpg", "restore", "--file", dump)
        server.terminate()
    with new:
        assert show(new, before["id"]) == before
        deep = new.manage("recovery", "check", "--deep", check=False)
        assert deep.returncode == 0, deep.stdout
        after = completed(new, start(new, *SHORT, seed=8))
    assert after["id"] > before["id"]
    assert after["memory_seq"] == before["memory_seq"] + 1


def _runs(stack: Stack) -> bool:
    said = stack.manage("localpg", "status", "--json", check=False).stdout
    return bool(said) and bool(json.loads(said)["running"])
