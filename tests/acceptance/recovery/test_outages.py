"""The power fails in the midst of everything: only what ran in the backend's own processes is done again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.recovery.cast import (
    FAST_LEASES,
    SHORT,
    all_completed,
    kill_backend,
    load_sample,
    query,
    start,
    tries,
    wait_running,
)
from tests.acceptance.recovery.far import FarWorker
from tests.acceptance.recovery.holds import Holds
from tests.support.stack import Stack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.acceptance
BOTH = "training,backtest"
ALONE = ("--training-workers", "0", "--backtest-workers", "0")
HELD = ("design.designed", "assessment.assessed")


@pytest.mark.scenario(4, 5, 7, 9)
def test_of_researches_in_every_phase_only_those_of_the_killed_backend_do_theirs_again(tmp_path: Path) -> None:
    inside, outside = (
        Holds(tmp_path / "inside", HELD),
        Holds(tmp_path / "outside", ("backtest.bar", "training.epoch@5")),
    )
    environment = FAST_LEASES | {"KTRDR_MAX_ACTIVE": "4"} | inside.environment
    with (
        Stack(tmp_path / "data", environment=environment, arguments=ALONE) as stack,
        FarWorker(stack, "far-1", BOTH, tmp_path / "far-1", holds=outside) as one,
        FarWorker(stack, "far-2", BOTH, tmp_path / "far-2", holds=outside) as another,
        FarWorker(stack, "far-3", BOTH, tmp_path / "far-3", holds=outside) as third,
    ):
        load_sample(stack)
        designing = start(stack, *SHORT)
        inside.wait("design.designed")
        training = start(stack, *SHORT)
        outside.wait("training.epoch")
        two = [new["id"] for new in stack.manage_json("research", "start", "Two", "--count", "2", *SHORT)]
        outside.wait("backtest.bar")
        inside.wait("assessment.assessed")
        backtesting, assessing = sorted(two, key=lambda research: _phase(stack, research), reverse=True)
        assert (_phase(stack, backtesting), _phase(stack, assessing)) == ("backtesting", "assessing")
        running = {
            kind: wait_running(stack, research, kind)
            for kind, research in (("training", training), ("backtest", backtesting))
        }

        kill_backend(stack)
        stack.start()
        for worker in (one, another, third):
            assert worker.process is not None
            assert worker.process.poll() is None, worker.text
        for again in ((designing, "design"), (assessing, "assessment")):
            wait_until(partial(_is_begun_again, stack, *again), timeout=90, what=f"{again} is begun again")
        for point in ("backtest.bar", "training.epoch"):
            outside.release(point)
        held = {"design": designing, "training": training, "backtest": backtesting, "assessment": assessing}
        shown = dict(zip(held, all_completed(stack, held.values()), strict=True))

    for name, end in shown.items():
        again = [("failed", "orphaned")] if name in {"design", "assessment"} else []
        for kind in ("design", "training", "backtest", "assessment"):
            assert tries(end, kind) == (again if kind == name else []) + [("completed", "")], (name, kind)
    for kind, operation in running.items():
        assert [op["id"] for op in shown[kind]["operations"] if op["kind"] == kind] == [operation]


def _is_begun_again(stack: Stack, research: int, kind: str) -> bool:
    sql = "SELECT id FROM research_operation WHERE research_id = %s AND kind = %s"
    return len(query(stack, sql, research, kind)) == 2


def _phase(stack: Stack, research: int) -> str:
    return str(query(stack, "SELECT state FROM research_research WHERE id = %s", research)[0][0])
