"""Backtests: `run(job, reporter)` is the task; it is loaded when first called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.job import Job, Reporter


def run(job: Job, reporter: Reporter) -> dict[str, Any]:
    """See `workers.backtest.task.run`."""
    from workers.backtest import task

    return task.run(job, reporter)
