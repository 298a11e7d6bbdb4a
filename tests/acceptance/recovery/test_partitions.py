"""A worker is cut off from the backend: it goes on, and whether its work still counts is decided once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.recovery.cast import SHORT, completed, query, recoveries, start, tries, wait_running
from tests.acceptance.recovery.far import FarWorker
from tests.acceptance.recovery.holds import Holds
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.stack import Stack

pytestmark = pytest.mark.acceptance
BOTH = "training,backtest"
EPOCH = "training.epoch"


@pytest.mark.scenario(15, 36)
def test_a_worker_cut_off_alone_keeps_going_and_its_result_counts_once_though_the_answer_is_lost(
    backend: Stack, tmp_path: Path
) -> None:
    holds = Holds(tmp_path / "held", (f"{EPOCH}@5",))
    with FarWorker(backend, "far-1", BOTH, tmp_path / "far", holds=holds) as worker:
        research = start(backend, *SHORT)
        training = wait_running(backend, research, "training")
        holds.wait(EPOCH)
        worker.cut_off(training)
        assert _state(backend, "far-1") == "disconnected"
        holds.release(EPOCH)
        worker.wait_says("ended with 0")
        assert query(backend, "SELECT status FROM research_operation WHERE id = %s", training) == [("running",)]

        lost = worker.proxy.trap(b'"acknowledged"', "cut")
        worker.proxy.calm()
        wait_until(lost.is_set, timeout=60, what="the result was accepted and the answer lost")
        assert query(backend, "SELECT status FROM research_operation WHERE id = %s", training) == [("completed",)]
        assert f"operation {training}: acknowledged" not in worker.text
        worker.proxy.calm()
        said = worker.wait_says(f"operation {training}: acknowledged", f"operation {training}: stop")
        shown = completed(backend, research)
        worker.wait_empty()

    assert said.endswith("acknowledged")
    assert [(one["kind"], one["status"], one["attempt"]) for one in shown["operations"]] == [
        (kind, "completed", 1) for kind in ("design", "training", "backtest", "assessment")
    ]
    assert _times(shown, training, "operation.completed") == 1
    assert not recoveries(shown)


@pytest.mark.scenario(16, 36)
def test_a_worker_cut_off_beside_an_idle_one_loses_its_work_and_whatever_it_still_says_is_refused(
    backend: Stack, tmp_path: Path
) -> None:
    """The first zombie comes back while it still works, the second with a result in its spool."""
    first_holds, second_holds = Holds(tmp_path / "held-2", (f"{EPOCH}@5",)), Holds(tmp_path / "held-3", (f"{EPOCH}@9",))
    with FarWorker(backend, "far-2", BOTH, tmp_path / "far-2", holds=first_holds) as first:
        research = start(backend, *SHORT)
        begun = wait_running(backend, research, "training")
        first_holds.wait(EPOCH)
        with FarWorker(backend, "far-3", BOTH, tmp_path / "far-3", holds=second_holds) as second:
            wait_until(lambda: _state(backend, "far-3") == "connected", timeout=60, what="another worker is idle")
            first.cut_off(begun)
            second_holds.wait(EPOCH)
            taken = wait_running(backend, research, "training")
            first.proxy.calm()
            assert _verdict(first, begun) == "stop superseded"
            first.wait_empty()

            second.cut_off(taken)
            wait_until(lambda: _tried(backend, research) == 3, timeout=60, what="it was taken over once more")
            second_holds.release(EPOCH)
            second.wait_says(f"operation {taken}: process", "ended with 0")
            shown = completed(backend, research)
            second.proxy.calm()
            assert _verdict(second, taken) == "stop superseded"
            second.wait_empty()
            assert completed(backend, research) == shown, "what a zombie says changed something"

    assert tries(shown, "training") == [("failed", "orphaned"), ("failed", "orphaned"), ("completed", "")]
    assert tries(shown, "backtest") == tries(shown, "assessment") == [("completed", "")]
    assert recoveries(shown) == ["operation.orphaned", "operation.restarted"] * 2


def _verdict(worker: FarWorker, operation: int) -> str:
    """What the backend answers to its report."""
    verdicts = ("stop superseded", "stop cancelled", "acknowledged")
    said = worker.wait_says(*(f"operation {operation}: {verdict}" for verdict in verdicts))
    return said.partition(": ")[2]


def _state(stack: Stack, name: str) -> str:
    return next((one["state"] for one in stack.manage_json("workers", "list") if one["name"] == name), "")


def _tried(stack: Stack, research: int) -> int:
    sql = "SELECT count(*) FROM research_operation WHERE research_id = %s AND kind = 'training' AND status <> 'queued'"
    rows = query(stack, sql, research)
    return int(rows[0][0]) if rows else 0


def _times(shown: dict[str, Any], operation: int, code: str) -> int:
    return sum(event["code"] == code and event["operation"] == operation for event in shown["events"])
