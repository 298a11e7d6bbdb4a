"""The backend is restarted on purpose, again and again, in every way it can be asked to leave."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.recovery.cast import (
    FAST_LEASES,
    LONG,
    MARKET,
    SHORT,
    OutsideWorker,
    completed,
    load_sample,
    query,
    recoveries,
    start,
    tries,
    wait_running,
    wait_state,
)
from tests.acceptance.recovery.far import FarWorker
from tests.acceptance.recovery.holds import Holds
from tests.acceptance.recovery.parts import Parts
from tests.support.processes import assert_no_process_left
from tests.support.stack import Stack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.acceptance
BOTH = "training,backtest"
_LEAVING = "SELECT 1 FROM research_cluster WHERE drain_until IS NOT NULL AND ended_at IS NULL"
_UNFINISHED = "SELECT id FROM research_research WHERE state NOT IN ('completed', 'failed')"
_WARNINGS = """SELECT code, message FROM research_event
               WHERE level <> 'info' AND topic <> 'system' AND code <> 'operation.interrupted'"""
_HEARD = """SELECT 1 FROM research_worker w, research_cover c
            WHERE w.name = %s AND w.last_seen_at > c.up_since"""


@pytest.mark.scenario(32)
def test_asked_to_leave_in_every_way_it_ends_cleanly_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    """The cluster and its group while a phase runs on it, the supervisor and its group while a worker trains."""
    inside = Holds(tmp_path / "held", ("design.designed", "assessment.assessed"))
    with Stack(tmp_path / "data", environment=FAST_LEASES | inside.environment) as stack:
        load_sample(stack)
        research = start(stack, *LONG)
        inside.wait("design.designed")
        _leave_and_release(stack, lambda pid: os.kill(pid, signal.SIGTERM), inside, "design.designed")

        for ask in (os.kill, os.killpg):
            wait_running(stack, research, "training", unit=1)
            assert stack.process is not None
            ask(stack.process.pid, signal.SIGTERM)
            assert stack.process.wait(60) == 0
            assert_no_process_left(stack.data_dir)
            stack.start()

        inside.wait("assessment.assessed")
        _leave_and_release(stack, lambda pid: os.killpg(pid, signal.SIGTERM), inside, "assessment.assessed")
        shown = completed(stack, research)

    assert "was killed" not in (stack.data_dir / "logs" / "cluster.log").read_text()
    assert tries(shown, "design") == tries(shown, "assessment") == tries(shown, "backtest") == [("completed", "")]
    assert tries(shown, "training") == [("failed", "interrupted")] * 2 + [("completed", "")]
    _, second, third = (one for one in shown["operations"] if one["kind"] == "training")
    assert 1 <= second["resumed_from_unit"] <= third["resumed_from_unit"]
    assert set(recoveries(shown)) <= {"operation.interrupted", "operation.restarted"}


def _leave_and_release(stack: Stack, ask: Callable[[int], None], holds: Holds, point: str) -> None:
    """Ask the cluster to leave while a phase is held on it: it waits for the phase, then ends with exit code 0."""
    old = stack.pids("cluster")
    ask(old[0])
    wait_until(lambda: query(stack, _LEAVING), timeout=30, what="the cluster takes no new work")
    holds.release(point)
    stack.wait_restarted("cluster", old, timeout=60)
    [last] = [child["last_exit"] for child in stack.status()["children"] if child["role"] == "cluster"]
    assert last == "exit code 0"


@pytest.mark.scenario(33)
def test_ten_rolling_restarts_under_load_fail_nothing_but_for_hand_overs(tmp_path: Path) -> None:
    environment = FAST_LEASES | {"KTRDR_MAX_ACTIVE": "3"}
    with (
        Parts(tmp_path / "data", environment=environment) as parts,
        OutsideWorker(parts, "far-1", BOTH, tmp_path / "far-1"),
        OutsideWorker(parts, "far-2", BOTH, tmp_path / "far-2"),
    ):
        load_sample(parts)
        for _ in range(10):
            if len(query(parts, _UNFINISHED)) < 3:
                parts.manage("research", "start", "Load", *MARKET, *SHORT, "--count", "4")
            old, parts.cluster = parts.cluster, parts.begin_cluster()
            old.ask()
            parts.web.ask()
            parts.web.left()  # uvicorn ends by the signal it was sent, once it has closed everything
            assert f"Finished server process [{parts.web.process.pid}]" in parts.web.log.read_text()
            parts.web = parts.begin_web()
            assert old.left() == 0, old.log.read_text()
        everything = [research for [research] in query(parts, "SELECT id FROM research_research ORDER BY id")]
        for research in everything:
            wait_state(parts, research, "completed")
        completed(parts, everything[-1])
        failed = query(parts, "SELECT DISTINCT reason FROM research_operation WHERE status = 'failed'")
        warnings = query(parts, _WARNINGS)

    assert len(everything) >= 4
    assert failed in ([], [("interrupted",)])
    assert not warnings


@pytest.mark.scenario(39)
def test_a_worker_whose_calls_all_fall_into_the_gaps_of_a_web_that_keeps_dying_loses_nothing(tmp_path: Path) -> None:
    """Each life of the web is shorter than a lease, all of them together much longer; an idle worker is heard."""
    holds = Holds(tmp_path / "held", ("training.epoch@5",))
    lease = 6.0
    environment = {"KTRDR_HEARTBEAT": "0.3", "KTRDR_LEASE": f"{lease}", "KTRDR_SUSPECT": "3"}
    with (
        Parts(tmp_path / "data", environment=environment) as parts,
        FarWorker(parts, "far-1", BOTH, tmp_path / "far-1", holds=holds) as unlucky,
    ):
        load_sample(parts)
        research = start(parts, *SHORT)
        training = wait_running(parts, research, "training")
        holds.wait("training.epoch")
        with FarWorker(parts, "far-2", BOTH, tmp_path / "far-2"):
            wait_until(lambda: query(parts, _HEARD, "far-2"), timeout=60, what="an idle worker was heard")
            unlucky.proxy.disturb("cut")
            began, lives, heard = time.monotonic(), 0, 0
            while lives < 4 or time.monotonic() < began + 2.5 * lease:
                parts.web.kill()
                parts.web = parts.begin_web()
                heard += _is_heard(parts, "far-2", time.monotonic() + lease / 6)
                lives += 1
            assert 2 * heard >= lives, "the idle worker was not heard: this shows nothing"
            unlucky.proxy.calm()
            holds.release("training.epoch")
            shown = completed(parts, research)

    assert [(one["kind"], one["status"], one["attempt"]) for one in shown["operations"]] == [
        (kind, "completed", 1) for kind in ("design", "training", "backtest", "assessment")
    ]
    assert [one["id"] for one in shown["operations"] if one["kind"] == "training"] == [training]


def _is_heard(stack: Stack, name: str, until: float) -> bool:
    """Whether the present web process hears the worker before a moment that is sooner than the end of a lease."""
    while time.monotonic() < until:
        if query(stack, _HEARD, name):
            return True
        time.sleep(0.05)
    return False
