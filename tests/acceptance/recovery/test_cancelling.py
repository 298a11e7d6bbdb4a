"""Cancel wins over everything that arrives after it, wherever the work is at that moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.recovery.cast import SHORT, completed, show, start, tries, wait_running
from tests.acceptance.recovery.far import FarWorker
from tests.acceptance.recovery.holds import Holds
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.stack import Stack

pytestmark = pytest.mark.acceptance
EPOCH = "training.epoch"


@pytest.mark.scenario(21)
def test_a_cancelled_research_stays_cancelled_whatever_its_worker_still_says(backend: Stack, tmp_path: Path) -> None:
    """While it works, while it is cut off, and while its result is on the way; then it takes up other work."""
    holds = Holds(tmp_path / "held", (f"{EPOCH}@5",))
    with FarWorker(backend, "far-4", "training,backtest", tmp_path / "far", holds=holds) as worker:

        def held() -> tuple[int, int]:
            holds.again(EPOCH)
            research = start(backend, *SHORT)
            training = wait_running(backend, research, "training")
            holds.wait(EPOCH)
            return research, training

        def cancelled(research: int, training: int) -> None:
            worker.proxy.calm()
            said = worker.wait_says(f"operation {training}: stop", f"operation {training}: acknowledged")
            assert said.endswith("stop")
            worker.wait_empty()
            shown = show(backend, research)
            assert (shown["state"], shown["reason"]) == ("cancelled", "cancelled")
            assert [one["status"] for one in shown["operations"]] == ["completed", "cancelled"]

        research, training = held()
        backend.manage("research", "cancel", str(research))
        cancelled(research, training)

        research, training = held()
        worker.cut_off(training)
        backend.manage("research", "cancel", str(research))
        holds.release(EPOCH)
        worker.wait_says(f"operation {training}: process", "ended with 0")
        cancelled(research, training)

        research, training = held()
        on_the_way = worker.proxy.trap(b'"state":"completed"', "stall")
        holds.release(EPOCH)
        wait_until(on_the_way.is_set, timeout=60, what="the result is on the way")
        backend.manage("research", "cancel", str(research))
        cancelled(research, training)

        backend.manage("research", "resume", str(research))
        shown = completed(backend, research)
    assert tries(shown, "training") == [("cancelled", "cancelled"), ("completed", "")]
