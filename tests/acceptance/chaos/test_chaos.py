"""A short chaos run; `make chaos` is the long one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.chaos import report
from tests.chaos.course import Course
from tests.chaos.plan import Plan

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.acceptance


@pytest.mark.scenario(29)
def test_researches_come_through_random_kills_freezes_and_cuts_as_if_nobody_had_disturbed_them(tmp_path: Path) -> None:
    seed = int(os.environ.get("CHAOS_SEED", "7"))
    plan = Plan(seed, kills=10, together=4, epochs=15, longest_freeze=5.0, longest_cut=3.0, stuck_after=60.0,
                outside=("training,backtest", "training,backtest"))  # fmt: skip
    outcome = Course(plan, tmp_path / "chaos").run()
    print(report.text(outcome))  # noqa: T201  # shown when it fails

    assert not outcome.broken, report.text(outcome)
    assert outcome.researches >= plan.together
    assert outcome.figures is not None
    assert outcome.figures.recovered, "nothing had to be recovered: the strikes hit nothing"
