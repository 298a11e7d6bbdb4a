"""The cluster dies while a phase runs on it, or freezes: the phase is done again, once, and the rest goes on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.acceptance.recovery.cast import (
    FAST_LEASES,
    LONG,
    SHORT,
    completed,
    kill_tree,
    load_sample,
    recoveries,
    start,
    tries,
    wait_running,
)
from tests.support.stack import Stack
from tests.support.waiting import wait_until

pytestmark = pytest.mark.acceptance


@pytest.mark.parametrize(
    ("kind", "point"), [("design", "design.designed"), ("assessment", "assessment.assessed")]
)  # fmt: skip
def test_a_phase_whose_whole_cluster_is_killed_is_done_again_once(kind: str, point: str, tmp_path: Path) -> None:
    faults = tmp_path / "faults"
    faults.mkdir()
    environment = FAST_LEASES | {"KTRDR_FAULTS": f"{point}=pause:600", "KTRDR_FAULTS_DIR": str(faults)}
    with Stack(tmp_path / "data", environment=environment) as stack:
        load_sample(stack)
        research = start(stack, *SHORT)
        lost = wait_running(stack, research, kind)
        wait_until((faults / point).exists, timeout=30, what="the phase is in the middle of its work")
        old = kill_tree(stack, "cluster")
        stack.wait_restarted("cluster", old)
        shown = completed(stack, research)

    assert tries(shown, kind) == [("failed", "orphaned"), ("completed", "")]
    assert recoveries(shown) == ["operation.orphaned", "operation.restarted"]
    orphan, again = (one for one in shown["operations"] if one["kind"] == kind)
    assert (orphan["id"], again["continues"]) == (lost, lost)
    assert orphan["runner"] in orphan["message"]
    told = next(event for event in shown["events"] if event["code"] == "operation.orphaned")
    assert told["level"] == "warning"
    assert told["data"]["signal"] == "lock"
    for other in {"design", "training", "backtest", "assessment"} - {kind}:
        assert tries(shown, other) == [("completed", "")]


def test_the_death_of_the_process_that_holds_the_queues_read_lock_stops_nothing(tmp_path: Path) -> None:
    with Stack(tmp_path / "data", environment=FAST_LEASES) as stack:
        load_sample(stack)
        research = start(stack, *LONG)
        wait_running(stack, research, "training", unit=1)
        old = stack.pids("cluster")
        os.kill(_reader(stack), signal.SIGKILL)
        stack.wait_restarted("cluster", old, timeout=40)
        shown = completed(stack, research)

    assert [one["status"] for one in shown["operations"]] == ["completed"] * 4


def _reader(stack: Stack) -> int:
    """The idle process that waits for a task in the pipe itself, with the read lock of the queue in its hands."""

    def readers() -> list[int]:
        workers = [process for process in stack.tree("cluster") if process.name() == "ktrdr-worker"]
        return [one.pid for one in workers if "pipe" in Path(f"/proc/{one.pid}/wchan").read_text()]

    [found] = wait_until(readers, timeout=20, what="one process of the cluster reads the queue's pipe")
    return found
