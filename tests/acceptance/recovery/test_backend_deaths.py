"""The handoff's failed scenario: the backend dies during a training or a backtest, the worker does not even notice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.recovery.cast import (
    FAST_LEASES,
    SHORT,
    OutsideWorker,
    completed,
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
ALONE = ("--training-workers", "0", "--backtest-workers", "0")


@pytest.mark.scenario(4, 11)
def test_everything_of_the_backend_is_killed_during_training_and_away_for_longer_than_a_lease(tmp_path: Path) -> None:
    """Half of the training is done while nobody is there, the other half afterwards."""
    lease = float(FAST_LEASES["KTRDR_LEASE"])
    holds = Holds(tmp_path / "held", ("training.epoch@20",))
    with (
        Stack(tmp_path / "data", environment=FAST_LEASES, arguments=ALONE) as stack,
        FarWorker(stack, "far-1", "training", tmp_path / "far-1", holds=holds) as trainer,
        OutsideWorker(stack, "far-3", "backtest", tmp_path / "far-3") as backtester,
    ):
        load_sample(stack)
        research = start(stack, *SHORT)
        training = wait_running(stack, research, "training")
        with OutsideWorker(stack, "far-2", "training", tmp_path / "far-2") as idle:  # it could take over, and must not
            wait_until(lambda: len(_connected(stack)) == 3, timeout=60, what="three workers are connected")
            kill_backend(stack)
            died = time.monotonic()
            holds.wait("training.epoch")
            wait_until(lambda: time.monotonic() > died + 2 * lease, timeout=60, what="the backend was away two leases")
            for worker in (trainer, idle, backtester):
                assert worker.process is not None
                assert worker.process.poll() is None, worker.text
            stack.start()
            wait_until(lambda: len(_connected(stack)) == 3, timeout=60, what="all three are back")
            holds.release("training.epoch")
            shown = completed(stack, research)

    assert [one["id"] for one in shown["operations"] if one["kind"] == "training"] == [training]
    assert [(one["kind"], one["status"], one["attempt"]) for one in shown["operations"]] == [
        (kind, "completed", 1) for kind in ("design", "training", "backtest", "assessment")
    ]
    assert not [event for event in shown["events"] if event["level"] != "info"]


@pytest.mark.scenario(10, 40)
def test_a_training_that_ends_while_nobody_listens_counts_though_its_deadline_passes_meanwhile(tmp_path: Path) -> None:
    """Its network comes back even later than the backend: the coordinator sees it overdue before it is heard of."""
    environment = FAST_LEASES | {"KTRDR_LEASE": "15", "KTRDR_TRAINING_DEADLINE": "10"}
    holds = Holds(tmp_path / "held", ("training.epoch@20",))
    with (
        Stack(tmp_path / "data", environment=environment, arguments=ALONE) as stack,
        FarWorker(stack, "far-1", "training,backtest", tmp_path / "far", holds=holds) as worker,
    ):
        load_sample(stack)
        research = start(stack, *SHORT)
        training = wait_running(stack, research, "training")
        holds.wait("training.epoch")
        kill_backend(stack)
        began = time.monotonic()
        worker.proxy.disturb("cut")
        holds.release("training.epoch")
        worker.wait_says("ended with 0")
        wait_until(lambda: time.monotonic() > began + 10, timeout=60, what="the deadline has passed")
        stack.start()
        wait_until(lambda: query(stack, _LOOKED_AT), timeout=60, what="a coordinator has looked at it")
        worker.proxy.calm()
        worker.wait_says(f"operation {training}: acknowledged", f"operation {training}: stop")
        shown = completed(stack, research)

    assert tries(shown, "training") == [("completed", "")]


_LOOKED_AT = """SELECT 1 FROM research_term t, research_cover c WHERE t.ended_at IS NULL
                AND t.started_at > c.up_since AND t.lease_expires_at > t.started_at + interval '4.5 s'"""


def _connected(stack: Stack) -> set[str]:
    return {worker["name"] for worker in stack.manage_json("workers", "list") if worker["state"] == "connected"}
