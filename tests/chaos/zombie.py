"""`python -m tests.chaos.zombie FOLDER`: a frozen worker is taken over, and woken while its successor is at work.

What `recovery check --deep` finds then is written to stdout as JSON, with what became of the frozen one's operation.
With the fence that is nothing; run in the test build of `tests/chaos/unfenced.py`, the phase has counted twice.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.acceptance.recovery.cast import FAST_LEASES, load_sample, query, start, wait_running
from tests.chaos.judge import breaches, duplicates
from tests.support.stack import Stack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    import psutil

TRAINING = ("--set", "training.epochs=40", "--set", "training.patience=null")
SLOWLY = {"KTRDR_FAULTS": "training.epoch=pause:0.012"}  # it waits rather than computes: two of these run side by side
_ENDS = "SELECT status FROM research_operation WHERE research_id = %s AND kind = 'training' ORDER BY id"
_IDLE = "SELECT idle AND clock_timestamp() - last_seen_at < interval '1.5 s' FROM research_worker WHERE name = %s"
_RUNNER = "SELECT w.name FROM research_operation o JOIN research_worker w ON w.id = o.worker_id WHERE o.id = %s"


def main(folder: Path) -> dict[str, Any]:
    """`duplicates` and `breaches` as texts, and `statuses` of the two trainings, the frozen worker's first."""
    workers = ("--training-workers", "2", "--backtest-workers", "0")
    with Stack(folder / "data", environment=FAST_LEASES | SLOWLY, arguments=workers) as stack:
        load_sample(stack)
        research = start(stack, *TRAINING)
        operation = wait_running(stack, research, "training", unit=1)
        [[worker]] = query(stack, _RUNNER, operation)
        host = stack.tree(worker)
        _send(host, signal.SIGSTOP)
        try:
            wait_until(lambda: _statuses(stack, research)[1:] == ["running"], timeout=90, what="it is taken over")
        finally:
            _send(reversed(host), signal.SIGCONT)
        wait_until(lambda: _statuses(stack, research)[1:] == ["completed"], timeout=90, what="the other one ended")
        wait_until(lambda: query(stack, _IDLE, worker) == [(True,)], timeout=60, what=f"{worker} has nothing left")
        found = breaches(stack)
        return {
            "statuses": _statuses(stack, research), "duplicates": duplicates(found),
            "breaches": sorted({one["invariant"] for one in found}),
        }  # fmt: skip


def _statuses(stack: Stack, research: int) -> list[str]:
    return [status for (status,) in query(stack, _ENDS, research)]


def _send(processes: Any, number: signal.Signals) -> None:
    one: psutil.Process
    for one in processes:
        os.kill(one.pid, number)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))) + "\n")
