"""The engine of a test: as the real one, but a training of the strategy "Poison" kills its process every time."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

from workers import backtest, training

if TYPE_CHECKING:
    from workers.job import Job, Reporter


def run(job: Job, reporter: Reporter) -> dict[str, Any]:
    if job.kind == "training" and job.spec["strategy"]["name"] == "Poison":
        os.kill(os.getpid(), signal.SIGKILL)
    return {"training": training, "backtest": backtest}[job.kind].run(job, reporter)
