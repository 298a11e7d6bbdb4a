"""Checkpoints under fire: a web process killed in the middle of one, a hand-over, a damaged file, a full disk."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.recovery.cast import (
    FAST_LEASES,
    LONG,
    SHORT,
    completed,
    kill_tree,
    load_sample,
    query,
    recoveries,
    start,
    tries,
    wait_checkpoint,
    wait_running,
    write_json,
)
from tests.acceptance.recovery.faults import Faults
from tests.support.stack import Stack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.acceptance
POINT = "checkpoint.bytes_written"
SOME = ("--set", "training.epochs=400", "--set", "training.batch_size=64", "--set", "training.patience=null")


@pytest.mark.scenario(18)
def test_a_web_process_killed_in_the_middle_of_an_upload_leaves_the_checkpoint_before_it_intact(tmp_path: Path) -> None:
    faults = Faults(tmp_path / "faults", {POINT: "pause:600"})
    with Stack(tmp_path / "data", environment=FAST_LEASES | faults.environment) as stack:
        load_sample(stack)
        research = start(stack, *LONG)
        operation = wait_running(stack, research, "training", unit=1)
        wait_checkpoint(stack, operation)
        faults.arm(POINT)
        faults.wait(POINT)
        before = _kept(stack, operation)
        partial = list((stack.data_dir / "blobs" / ".incoming").iterdir())
        old = stack.kill("web")
        stack.wait_restarted("web", old)
        stack.wait_answers()
        wait_until(lambda: _kept(stack, operation)[-1] > before[-1], what="later checkpoints come")
        shown = completed(stack, research)
        deep = stack.manage("recovery", "check", "--deep", check=False)

    assert len(partial) == 1, "bytes lay there, and no row named them"
    assert partial[0].exists(), "nor was it ever made one"
    assert tries(shown, "training") == [("completed", "")], "the worker lives on: nothing is to be taken over"
    assert deep.returncode == 0, deep.stdout


@pytest.mark.scenario(14, 19)
def test_a_worker_that_is_asked_to_leave_hands_over_and_a_damaged_checkpoint_is_passed_over(tmp_path: Path) -> None:
    with Stack(tmp_path / "data", environment=FAST_LEASES) as stack:
        load_sample(stack)
        research = start(stack, *SOME)
        first = wait_running(stack, research, "training", unit=200)
        stack.kill("local-training-1", signal.SIGTERM)
        wait_until(lambda: wait_running(stack, research, "training") != first, what="another goes on")
        second = wait_running(stack, research, "training", unit=400)
        wait_until(lambda: len(_kept(stack, second)) == 2, what="it has two checkpoints of its own")
        kill_tree(stack, "local-training-1")
        newest, _ = _blobs(stack, second)
        path = stack.data_dir / "blobs" / newest
        path.write_bytes(path.read_bytes()[:-20] + b"\0" * 20)
        shown = completed(stack, research)
        [[told]] = query(stack, "SELECT max(unit) FROM research_measure WHERE operation_id = %s", first)

    assert tries(shown, "training") == [("failed", "interrupted"), ("failed", "orphaned"), ("completed", "")]
    _, heir, last = (one for one in shown["operations"] if one["kind"] == "training")
    assert told - heir["resumed_from_unit"] <= 1, "at most one unit is done again"
    assert recoveries(shown).count("checkpoint.unusable") == 1
    [damage] = (event["message"] for event in shown["events"] if event["code"] == "checkpoint.unusable")
    assert "is damaged: its SHA-256 is" in damage
    assert last["continues"] == second


def test_a_full_disk_of_the_backend_is_waited_out(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with _small_disk(data / "blobs") as disk, Stack(data, environment=FAST_LEASES) as stack:
        load_sample(stack)
        research = start(stack, *SOME)
        operation = wait_running(stack, research, "training", unit=1)
        wait_checkpoint(stack, operation)
        _fill(disk / "other")
        wait_until(lambda: "507" in _worker_log(stack), what="the worker is told that the disk is full")
        before = _kept(stack, operation)
        assert not list((disk / ".incoming").iterdir()), "nothing half-written"
        (disk / "other").unlink()
        wait_until(lambda: _kept(stack, operation)[-1] > before[-1], what="checkpoints are stored again")
        shown = completed(stack, research)
        deep = stack.manage("recovery", "check", "--deep", check=False)

    assert tries(shown, "training") == [("completed", "")]
    assert "The disk of the blob folder is full" in _worker_log(stack)
    assert deep.returncode == 0, deep.stdout


@pytest.mark.scenario(20)
def test_a_training_that_kills_its_process_every_time_is_given_up_and_the_other_research_is_not(tmp_path: Path) -> None:
    poison = {"KTRDR_MAX_ORPHANS": "1", "KTRDR_TEST_TASKS": "tests.acceptance.recovery.poison:run"}
    with Stack(tmp_path / "data", environment=FAST_LEASES | poison) as stack:
        load_sample(stack)
        healthy = start(stack, *SHORT)
        shown = completed(stack, healthy)
        spec = shown["strategy"]["spec"]
        poisoned = start(stack, "--strategy", str(write_json(tmp_path / "poison.json", spec | {"name": "Poison"})))
        beside = start(stack, "--strategy", str(write_json(tmp_path / "strategy.json", spec)))
        other = completed(stack, beside)
        wait_until(lambda: _state(stack, poisoned) == "failed", what="the poisoned one is given up")
        given_up = stack.manage_json("research", "show", str(poisoned))

    assert given_up["reason"] == "gave_up"
    lives = tries(given_up, "training")
    assert lives == [("failed", "crashed")] * len(lives)
    assert 1 <= len(lives) <= 3
    assert tries(other, "training") == [("completed", "")]
    assert other["model_sha256"] == shown["model_sha256"]


def _kept(stack: Stack, operation: int) -> list[int]:
    """Units of the checkpoints of an operation, none of them pruned."""
    sql = "SELECT unit FROM research_checkpoint WHERE operation_id = %s AND pruned_at IS NULL ORDER BY unit"
    return [unit for (unit,) in query(stack, sql, operation)]


def _blobs(stack: Stack, operation: int) -> list[str]:
    sql = "SELECT blob FROM research_checkpoint WHERE operation_id = %s AND pruned_at IS NULL ORDER BY unit DESC"
    return [blob for (blob,) in query(stack, sql, operation)]


def _state(stack: Stack, research: int) -> str:
    rows = query(stack, "SELECT state FROM research_research WHERE id = %s", research)
    return rows[0][0] if rows else ""


def _worker_log(stack: Stack) -> str:
    return "".join(path.read_text(errors="replace") for path in (stack.data_dir / "logs").glob("local-training*"))


def _fill(path: Path) -> None:
    """To the last byte."""
    free = shutil.disk_usage(path.parent).free
    path.write_bytes(b"x" * free)
    assert shutil.disk_usage(path.parent).free == 0


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 4 MiB there."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
