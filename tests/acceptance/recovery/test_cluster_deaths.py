"""Processes of the cluster die while phases run on it: the phase is done again, once, and the rest goes on."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.recovery.cast import (
    FAST_LEASES,
    completed,
    kill_tree,
    load_sample,
    query,
    recoveries,
    show,
    start,
    tries,
    wait_running,
    wait_state,
)
from tests.acceptance.recovery.clusters import leader, nothing_done_twice, of_role, reader, runner, tree
from tests.acceptance.recovery.faults import Faults
from tests.support.processes import alive
from tests.support.stack import Stack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.acceptance
TINY = ("--set", "training.epochs=3", "--set", "training.patience=null")
GOES_ON_WITHIN = 3 * 15.0  # seconds: what the contract promises on a quiet machine, three times
WHOLE = ("cluster", "sentinel", "monitor", "pusher", "reader")  # whose death ends the cluster, and a new one comes
SINGLE = ("leader", "idle", "busy")  # who is replaced alone


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Faults:
    pauses = {"design.designed": "pause:600", "assessment.assessed": "pause:600"}
    return Faults(tmp_path_factory.mktemp("deaths") / "faults", pauses)


@pytest.fixture(scope="module")
def stack(faults: Faults) -> Iterator[Stack]:
    environment = FAST_LEASES | faults.environment | {"KTRDR_MAX_ACTIVE": "10"}
    with Stack(faults.folder.parent / "data", environment=environment) as stack:
        load_sample(stack)
        yield stack


@pytest.mark.scenario(1, 2)
def test_phases_whose_whole_cluster_is_killed_are_done_again_once(stack: Stack, faults: Faults) -> None:
    faults.arm("assessment.assessed")
    assessing = start(stack, *TINY)
    faults.wait("assessment.assessed")
    faults.arm("design.designed")
    designing = start(stack, *TINY)
    faults.wait("design.designed")
    lost = {
        "design": wait_running(stack, designing, "design"),
        "assessment": wait_running(stack, assessing, "assessment"),
    }
    old = kill_tree(stack, "cluster")
    stack.wait_restarted("cluster", old)

    for kind, research in (("design", designing), ("assessment", assessing)):
        shown = completed(stack, research)
        assert tries(shown, kind) == [("failed", "orphaned"), ("completed", "")]
        assert recoveries(shown) == ["operation.orphaned", "operation.restarted"]
        orphan, again = (one for one in shown["operations"] if one["kind"] == kind)
        assert (orphan["id"], again["continues"]) == (lost[kind], lost[kind])
        assert orphan["runner"] in orphan["message"]
        told = next(event for event in shown["events"] if event["code"] == "operation.orphaned")
        assert told["level"] == "warning"
        assert told["data"]["signal"] == "lock"
        for other in {"design", "training", "backtest", "assessment"} - {kind}:
            assert tries(shown, other) == [("completed", "")]


@pytest.mark.scenario(31)
def test_whichever_process_of_the_cluster_is_killed_the_work_goes_on(stack: Stack, faults: Faults) -> None:
    researches = [start(stack, *TINY)]
    for role in (*SINGLE, *WHOLE):
        main = stack.pid("cluster")
        before = tree(main)
        if role == "busy":
            faults.arm("design.designed")
            researches.append(start(stack, *TINY))
            faults.wait("design.designed")
        victim = _victim(stack, main, role, researches[-1])
        os.kill(victim, signal.SIGKILL)
        researches.append(start(stack, *TINY))
        _wait_designed(stack, researches[-1], role)
        _wait_gone(before if role in WHOLE else [victim], role)
        assert (stack.pid("cluster") == main) is (role in SINGLE), f"{role}: {stack.terminal}"
        wait_until(lambda: len(of_role(stack.pid("cluster"), "worker")) == 6, what=f"six processes after the {role}")

    for research in researches:
        wait_state(stack, research, "completed")
    nothing_done_twice(stack)
    busy = show(stack, researches[SINGLE.index("busy") + 1])
    assert tries(busy, "design") == [("failed", "orphaned"), ("completed", "")]


def _victim(stack: Stack, main: int, role: str, research: int) -> int:
    if role == "leader":
        return leader(stack).pid
    if role == "reader":
        return reader(main)
    if role == "busy":
        return runner(stack, wait_running(stack, research, "design"))
    if role == "idle":
        engaged = {reader(main), leader(stack).pid, *_runners(stack)}
        return next(pid for pid in of_role(main, "worker") if pid not in engaged)
    [found] = of_role(main, role)
    return found


def _runners(stack: Stack) -> list[int]:
    return [pid for [pid] in query(stack, "SELECT runner_pid FROM research_operation WHERE runner_pid IS NOT NULL")]


def _wait_designed(stack: Stack, research: int, role: str) -> None:
    done = "SELECT 1 FROM research_operation WHERE research_id = %s AND kind = 'design' AND status = 'completed'"
    wait_until(
        lambda: query(stack, done, research), timeout=GOES_ON_WITHIN, what=f"work goes on after the death of: {role}"
    )


def _wait_gone(pids: list[int], role: str) -> None:
    wait_until(lambda: not [pid for pid in pids if alive(pid)], what=f"nothing is left of what went with the {role}")
