"""PostgreSQL is killed under load, more than once: everybody reconnects, nothing is lost, nothing is done twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.recovery.cast import (
    FAST_LEASES,
    SHORT,
    all_completed,
    kill_tree,
    load_sample,
    query,
    recoveries,
)
from tests.acceptance.recovery.holds import Holds
from tests.support.stack import Stack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.acceptance
_RETAKEN = """SELECT 1 FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid AND l.locktype = 'advisory'
              WHERE a.application_name = 'ktrdr operation ' || %s::text"""


@pytest.mark.scenario(17)
def test_four_researches_survive_two_deaths_of_the_database_with_no_work_done_again(tmp_path: Path) -> None:
    """A design and a training are held over both deaths, so that neither can slip through between them."""
    holds = Holds(tmp_path / "held", ("design.designed", "training.epoch@20"))
    environment = FAST_LEASES | {"KTRDR_MAX_ACTIVE": "4"} | holds.environment
    with Stack(tmp_path / "data", environment=environment, arguments=("--training-workers", "2")) as stack:
        load_sample(stack)
        four = [one["id"] for one in stack.manage_json("research", "start", "Four", "--count", "4", *SHORT)]
        holds.wait("design.designed")
        holds.wait("training.epoch")
        [[design]] = query(stack, "SELECT id FROM research_operation WHERE status = 'running' AND kind = 'design'")
        for kill in (stack.kill, lambda role: kill_tree(stack, role)):
            old = kill("postgres")
            stack.wait_restarted("postgres", old)
            stack.wait_up()
            wait_until(lambda: query(stack, _RETAKEN, design), timeout=60, what="the design has its lock again")
        for point in ("design.designed", "training.epoch"):
            holds.release(point)
        shown = all_completed(stack, four)

    for one in shown:
        assert [(op["kind"], op["status"], op["attempt"]) for op in one["operations"]] == [
            (kind, "completed", 1) for kind in ("design", "training", "backtest", "assessment")
        ]
        assert not recoveries(one)
