"""Work that kills its process every time is given up, harms nobody else, and goes on when its cause is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.recovery.cast import (
    FAST_LEASES,
    completed,
    load_sample,
    show,
    start,
    tries,
    wait_state,
    write_json,
)
from tests.acceptance.recovery.clusters import nothing_done_twice
from tests.support.stack import Stack

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.acceptance
SPEC = {
    "name": "Calm before the rise",
    "hypothesis": "A low momentum turns up.",
    "data": {"symbol": "NASDAQ", "timeframe": "1d"},
    "indicators": {"rsi14": {"function": "rsi", "params": {"period": 14}}},
    "inputs": {"rsi14": ["low", "mid", "high"]},
    "rules": [{"if": {"rsi14": "low"}, "then": 0.5}, {"if": {"rsi14": "high"}, "then": -0.5}],
    "training": {"epochs": 3},
}


@pytest.mark.scenario(20)
def test_a_design_that_kills_its_process_every_time_is_given_up_and_resumed_by_hand(tmp_path: Path) -> None:
    environment = FAST_LEASES | {"KTRDR_MAX_ORPHANS": "3", "KTRDR_FAULTS": "design.designed=kill"}
    with Stack(tmp_path / "data", environment=environment) as stack:
        load_sample(stack)
        poison = start(stack, "--set", "training.epochs=3")
        other = start(stack, "--strategy", str(write_json(tmp_path / "strategy.json", SPEC)))  # it needs no design
        main = stack.pid("cluster")
        wait_state(stack, poison, "failed", timeout=60)
        failed = show(stack, poison)
        assert failed["reason"] == "gave_up"
        assert "lost 3 times in a row" in failed["message"]
        assert tries(failed, "design") == [("failed", "orphaned")] * 3
        assert [one["status"] for one in completed(stack, other)["operations"]] == ["completed"] * 3
        assert stack.pid("cluster") == main, "the processes were replaced one by one"

        stack.environment.pop("KTRDR_FAULTS")
        stack.stop()
        stack.start()
        stack.manage("research", "resume", str(poison))
        shown = completed(stack, poison)
        nothing_done_twice(stack)

    assert tries(shown, "design") == [("failed", "orphaned")] * 3 + [("completed", "")]
    assert len([event for event in shown["events"] if event["code"] == "operator.resume"]) == 1
