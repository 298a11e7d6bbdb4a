"""A kill between any two writes: at every named fault point once, and the results are those of undisturbed runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from research import designers
from tests.acceptance.faults.points import named
from tests.acceptance.recovery.cast import (
    FAST_LEASES,
    MARKET,
    SAMPLE,
    completed,
    load_sample,
    query,
    show,
    start,
    tries,
    wait_checkpoint,
    wait_running,
    write_json,
)
from tests.chaos.judge import cases, differences
from tests.support.stack import Stack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.acceptance

COMMANDS = {  # passed by commands, and not while all runs
    "dataset.bytes_written", "dataset.renamed", "dataset.committed", "token.created", "research.created",
    "research.cancelled", "research.resumed", "worker.drain_asked", "schedule.turned", "checkpoint.marked",
    "retention.removed",
}  # fmt: skip
LONG = ("--set", "training.epochs=400", "--set", "training.batch_size=64", "--set", "training.patience=null")
ENSURE_TOKEN = (
    "from research.services.tokens import *; assert ensure_local_token('extra') == ensure_local_token('extra')"
)
MARK_NEWEST = """from research.models import Checkpoint; from research.services.checkpoints import mark_unusable
mark_unusable(Checkpoint.objects.filter(pruned_at=None).latest('id').pk, 'Somebody dropped the disk.')"""
TIDY = "from research.services.retention import tidy; tidy(older_than=0)"
UPLOADS = {
    f"{what}.{where}" for what in ("checkpoint", "artifact") for where in ("bytes_written", "renamed", "committed")
}
SETTINGS = FAST_LEASES | {"KTRDR_MAX_ORPHANS": "1000"}
WORKERS = ("--training-workers", "3", "--backtest-workers", "2")
EPOCHS = ("--set", "training.epochs=80", "--set", "training.patience=null")
LONGER = ("--set", "training.epochs=1000", "--set", "training.batch_size=64", "--set", "training.patience=null")


def test_a_kill_at_every_fault_point_changes_nothing_of_what_comes_out(tmp_path: Path) -> None:
    points = named() - COMMANDS
    with Stack(tmp_path / "data", environment=SETTINGS | _kills(points, tmp_path), arguments=WORKERS) as stack:
        load_sample(stack)
        stack.manage("research", "start", "Follow the trend", *MARKET, *EPOCHS, "--seed", "1", "--count", "5",
                     check=False)  # killed as it calls for a coordinator  # fmt: skip
        wait_until(lambda: _unfinished(stack) == [], timeout=300, what="every research is complete")
        wait_until(lambda: points <= _walked(tmp_path), timeout=30, what="every fault point is passed")
        found = cases(stack)
        deep = stack.manage("recovery", "check", "--deep", check=False)

    assert deep.returncode == 0, deep.stdout
    assert not differences(found)


def test_a_web_process_that_dies_at_every_write_of_an_upload_loses_no_byte_of_it(tmp_path: Path) -> None:
    """With a strategy given there is no design, so that each of these points is first passed by a web process."""
    with Stack(tmp_path / "data", environment=SETTINGS | _kills(UPLOADS, tmp_path)) as stack:
        load_sample(stack)
        research = start(stack, *LONGER, "--strategy", str(_strategy(tmp_path)))
        shown = completed(stack, research, timeout=300)
        walked, found = _walked(tmp_path), cases(stack)
        deep = stack.manage("recovery", "check", "--deep", check=False)

    assert walked == UPLOADS
    assert tries(shown, "training") == [("completed", "")], "the worker lives on: nothing is to be taken over"
    assert deep.returncode == 0, deep.stdout
    assert not differences(found)


def test_a_command_killed_between_two_writes_has_done_all_of_it_or_nothing_and_can_be_given_again(
    tmp_path: Path,
) -> None:
    with Stack(tmp_path / "data", environment=SETTINGS) as stack:
        for point in ("dataset.bytes_written", "dataset.renamed", "dataset.committed"):
            _killed_at(stack, point, "data", "load", str(SAMPLE), *MARKET)
        load_sample(stack)
        _killed_at(stack, "token.created", "shell", "-c", ENSURE_TOKEN)
        _killed_at(stack, "research.created", "research", "start", "Follow the trend", *MARKET, *LONG, "--seed", "3")
        wait_checkpoint(stack, wait_running(stack, 1, "training"))  # nobody was called for it, and somebody came
        _killed_at(stack, "worker.drain_asked", "workers", "drain", "local-training-1")
        wait_until(lambda: ("failed", "interrupted") in tries(show(stack, 1), "training"), timeout=60, what="it left")
        _killed_at(stack, "research.cancelled", "research", "cancel", "1")
        assert show(stack, 1)["state"] == "cancelled"
        _killed_at(stack, "checkpoint.marked", "shell", "-c", MARK_NEWEST)
        _killed_at(stack, "research.resumed", "research", "resume", "1")
        completed(stack, 1, timeout=300)
        for name in ("left", "behind"):
            (stack.data_dir / "blobs" / name).write_text("by an upload that was killed")
        _killed_at(stack, "retention.removed", "shell", "-c", TIDY)
        stack.manage("shell", "-c", TIDY)
        assert not [name for name in ("left", "behind") if (stack.data_dir / "blobs" / name).exists()]
        stack.manage("recovery", "check", "--deep")
        stack.manage("data", "check")
        found = cases(stack)

    assert not differences(found)


def _killed_at(stack: Stack, point: str, *command: str) -> None:
    """The command dies at this point; those that run are none the wiser."""
    assert point in COMMANDS
    calm = dict(stack.environment)
    stack.environment |= {"KTRDR_FAULTS": f"{point}=kill"}
    done = stack.manage(*command, check=False)
    stack.environment = calm
    assert done.returncode == -9, f"{command} was not killed at {point}: {done.stdout}{done.stderr}"


def _unfinished(stack: Stack) -> list[str]:
    """The states of all researches that are not complete; something while the database is away."""
    states = [state for (state,) in query(stack, "SELECT state FROM research_research")]
    assert "failed" not in states, query(stack, "SELECT id, message FROM research_research WHERE state = 'failed'")
    return [state for state in states if state != "completed"] if states else ["unknown"]


def _strategy(folder: Path) -> Path:
    brief = designers.Brief(text="Follow the trend", symbol=MARKET[1], timeframe=MARKET[3], seed=3, memory=())
    return write_json(folder / "strategy.json", designers.get("evolution").design(brief).spec)


def _kills(points: set[str], folder: Path) -> dict[str, str]:
    """A kill at each of these points, once over all processes."""
    faults = folder / "faults"
    faults.mkdir()
    return {"KTRDR_FAULTS": ",".join(f"{point}=kill" for point in sorted(points)), "KTRDR_FAULTS_DIR": str(faults)}


def _walked(folder: Path) -> set[str]:
    return {marker.name for marker in (folder / "faults").iterdir()}
