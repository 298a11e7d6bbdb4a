"""Workers killed in the midst of training and backtest, once and twice: the same model, trades and equity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.recovery.cast import (
    FAST_LEASES,
    SHORT,
    completed,
    kill_tree,
    load_sample,
    query,
    start,
    tries,
    wait_checkpoint,
    wait_running,
    write_json,
)
from tests.acceptance.recovery.faults import Faults
from tests.support.stack import Stack

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.acceptance
BUSY = ("--set", "decision.enter=0.05", "--set", "decision.exit=0.04")  # trades from the first pieces on
HASHES = ("model_sha256", "trades_sha256", "equity_sha256")
POINTS = {"training": "training.epoch", "backtest": "backtest.bar"}
DEATHS = {"training": "pause:600@60", "backtest": "pause:600@6"}  # of some 320 epochs and 20 pieces of 250 bars


@pytest.mark.scenario(12, 13)
def test_work_whose_workers_are_killed_once_and_twice_ends_with_the_same_bits(tmp_path: Path) -> None:
    faults = Faults(tmp_path / "faults", {POINTS[kind]: action for kind, action in DEATHS.items()})
    with Stack(tmp_path / "data", environment=FAST_LEASES | faults.environment) as stack:
        load_sample(stack)
        undisturbed = completed(stack, start(stack, *SHORT, *BUSY, seed=1))
        again = ("--strategy", str(write_json(tmp_path / "strategy.json", undisturbed["strategy"]["spec"])))
        once = _killed(stack, faults, again, {"training": 0, "backtest": 1})
        twice = _killed(stack, faults, again, {"training": 2, "backtest": 2})
        expected, *found = (_results(stack, shown) for shown in (undisturbed, once, twice))

    assert set(expected) == set(DEATHS)
    assert found == [expected] * 2
    for shown in (once, twice):
        assert {name: shown[name] for name in HASHES} == {name: undisturbed[name] for name in HASHES}


def _killed(stack: Stack, faults: Faults, options: tuple[str, ...], deaths: dict[str, int]) -> dict[str, Any]:
    """A research of which each phase's worker is killed, with all its processes, so many times."""
    for kind, times in deaths.items():
        if times:
            faults.arm(POINTS[kind])
    research = start(stack, *options, seed=1)
    for kind, times in deaths.items():
        for left in reversed(range(times)):
            faults.wait(POINTS[kind])
            wait_checkpoint(stack, wait_running(stack, research, kind))
            if left:
                faults.arm(POINTS[kind])
            kill_tree(stack, f"local-{kind}-1")
    shown = completed(stack, research)
    for kind, times in deaths.items():
        lives = [one for one in shown["operations"] if one["kind"] == kind]
        assert tries(shown, kind) == [("failed", "orphaned")] * times + [("completed", "")]
        units = [one["resumed_from_unit"] or 0 for one in lives]
        assert units == sorted(set(units)), "each went on from further than the one before"
        assert len(units) == times + 1
    return shown


def _results(stack: Stack, shown: dict[str, Any]) -> dict[str, Any]:
    """What training and backtest found, and from which bytes."""
    sql = (
        "SELECT kind, result FROM research_operation WHERE research_id = %s AND status = 'completed' AND kind = ANY(%s)"
    )
    return dict(query(stack, sql, shown["id"], list(DEATHS)))
