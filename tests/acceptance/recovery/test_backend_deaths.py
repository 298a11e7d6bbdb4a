"""The handoff's failed scenario: the backend dies during a training or a backtest, the worker does not even notice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.recovery.cast import (
    FAST_LEASES,
    LONG,
    OutsideWorker,
    completed,
    kill_backend,
    load_sample,
    start,
    tries,
    wait_running,
)
from tests.support.stack import Stack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.acceptance
ALONE = ("--training-workers", "0", "--backtest-workers", "0")


def test_everything_of_the_backend_is_killed_during_training_and_away_for_longer_than_a_lease(tmp_path: Path) -> None:
    lease = float(FAST_LEASES["KTRDR_LEASE"])
    with (
        Stack(tmp_path / "data", environment=FAST_LEASES, arguments=ALONE) as stack,
        OutsideWorker(stack, "far-training", "training", tmp_path / "far-training") as trainer,
        OutsideWorker(stack, "far-idle", "training", tmp_path / "far-idle") as idle,  # it could take over, and must not
        OutsideWorker(stack, "far-backtest", "backtest", tmp_path / "far-backtest") as backtester,
    ):
        load_sample(stack)
        research = start(stack, *LONG)
        training = wait_running(stack, research, "training", unit=1)
        assert _connected(stack) == {"far-training", "far-idle", "far-backtest"}
        kill_backend(stack)
        died = time.monotonic()
        wait_until(lambda: time.monotonic() > died + 2 * lease, timeout=60, what="the backend was away for two leases")
        for worker in (trainer, idle, backtester):
            assert worker.process is not None
            assert worker.process.poll() is None, worker.text
        stack.start()
        shown = completed(stack, research)

    assert [one["id"] for one in shown["operations"] if one["kind"] == "training"] == [training]
    assert [(one["kind"], one["status"], one["attempt"]) for one in shown["operations"]] == [
        (kind, "completed", 1) for kind in ("design", "training", "backtest", "assessment")
    ]
    assert not [event for event in shown["events"] if event["level"] != "info"]


def test_a_training_that_ends_while_nobody_listens_counts_when_the_backend_is_back(tmp_path: Path) -> None:
    short = ("--set", "training.epochs=500", "--set", "training.batch_size=64", "--set", "training.patience=null")
    with (
        Stack(tmp_path / "data", environment=FAST_LEASES, arguments=ALONE) as stack,
        OutsideWorker(stack, "far-both", "training,backtest", tmp_path / "far") as worker,
    ):
        load_sample(stack)
        research = start(stack, *short)
        wait_running(stack, research, "training", unit=1)
        kill_backend(stack)
        wait_until(lambda: "ended with 0" in worker.text, timeout=120, what="the training has ended, unheard")
        stack.start()
        shown = completed(stack, research)

    assert tries(shown, "training") == [("completed", "")]
    assert "acknowledged" in worker.text


def _connected(stack: Stack) -> set[str]:
    return {worker["name"] for worker in stack.manage_json("workers", "list") if worker["state"] == "connected"}
