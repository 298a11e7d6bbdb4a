"""Processes that stand still: their work and their office go to others, and when they wake they change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.recovery.cast import (
    FAST_LEASES,
    completed,
    load_sample,
    query,
    start,
    tries,
    wait_running,
    wait_state,
)
from tests.acceptance.recovery.clusters import SecondCluster, frozen, leader, nothing_done_twice, runner, tree
from tests.acceptance.recovery.faults import Faults
from tests.support.processes import alive
from tests.support.stack import Stack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.acceptance
TINY = ("--set", "training.epochs=3", "--set", "training.patience=null")
LEADS_WITHIN = 3 * 5.0  # seconds: what the contract promises on a quiet machine, three times
OPERATIONS = "SELECT * FROM research_operation WHERE research_id = %s ORDER BY id"
NEWEST = "SELECT max(seq) FROM research_event"


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Faults:
    """The pauses that are frozen are short: one that is woken then goes on at once, where it stood."""
    pauses = {"design.designed": "pause:5", "coordinator.decided": "pause:5", "assessment.assessed": "pause:600"}
    return Faults(tmp_path_factory.mktemp("frozen") / "faults", pauses)


@pytest.fixture(scope="module")
def stack(faults: Faults) -> Iterator[Stack]:
    environment = FAST_LEASES | faults.environment | {"KTRDR_PHASE_LEASE": "2", "KTRDR_ASSESSMENT_DEADLINE": "5"}
    with Stack(faults.folder.parent / "data", environment=environment) as stack:
        load_sample(stack)
        yield stack


@pytest.fixture(scope="module")
def second(stack: Stack) -> Iterator[SecondCluster]:
    with SecondCluster(stack, stack.data_dir.parent / "second.log") as second:
        yield second


def wait_said(stack: Stack, *words: str) -> None:
    """Wait until one of the clusters has written one of these to its log."""
    logs = [stack.data_dir / "logs" / "cluster.log", stack.data_dir.parent / "second.log"]

    def said() -> bool:
        texts = [log.read_text(errors="replace") for log in logs if log.exists()]
        return any(one in text for one in words for text in texts)

    wait_until(said, what=f"a cluster says {' or '.join(words)}")


@pytest.mark.scenario(28)
def test_a_frozen_design_is_taken_over_and_changes_nothing_when_it_wakes(stack: Stack, faults: Faults) -> None:
    faults.arm("design.designed")
    research = start(stack, *TINY)
    lost = wait_running(stack, research, "design")
    pid = runner(stack, lost)
    faults.wait("design.designed")
    with frozen(pid):
        wait_state(stack, research, "completed")
        before = query(stack, OPERATIONS, research), query(stack, NEWEST)
    wait_said(stack, f"operation {lost} stops here: operation {lost} is no longer ours")

    shown = completed(stack, research)
    assert (query(stack, OPERATIONS, research), query(stack, NEWEST)) == before
    assert tries(shown, "design") == [("failed", "orphaned"), ("completed", "")]
    orphaned = _event(shown, "operation.orphaned")
    assert (orphaned["level"], orphaned["data"]["signal"]) == ("warning", "lease")
    nothing_done_twice(stack)


@pytest.mark.scenario(28)
def test_an_assessment_that_hangs_past_its_deadline_is_timed_out_and_tried_again(stack: Stack, faults: Faults) -> None:
    faults.arm("assessment.assessed")
    research = start(stack, *TINY)
    hung = wait_running(stack, research, "assessment")
    pid = runner(stack, hung)
    faults.wait("assessment.assessed")
    shown = completed(stack, research)

    assert tries(shown, "assessment") == [("failed", "timed_out"), ("completed", "")]
    assert [one["attempt"] for one in shown["operations"] if one["kind"] == "assessment"] == [1, 2]
    assert _event(shown, "operation.timed_out")["level"] == "warning"
    wait_until(lambda: not alive(pid), what="the process that hung is gone")
    nothing_done_twice(stack)


@pytest.mark.scenario(42)
def test_a_leader_frozen_with_its_decision_made_is_followed_by_another(stack: Stack, faults: Faults) -> None:
    faults.arm("coordinator.decided")
    research = start(stack, *TINY)
    faults.wait("coordinator.decided")
    first = leader(stack)
    with frozen(first.pid):  # within the transaction: the rows of the research are locked
        next_one = leader(stack, after=first.term, timeout=LEADS_WITHIN)
        assert next_one.pid != first.pid
        wait_state(stack, research, "completed")
        before = query(stack, OPERATIONS, research), query(stack, NEWEST)
    wait_said(stack, "The leader lost the database", f"Term {first.term} is over")

    shown = completed(stack, research)
    assert (query(stack, OPERATIONS, research), query(stack, NEWEST)) == before
    assert [one["status"] for one in shown["operations"]] == ["completed"] * 4
    nothing_done_twice(stack)


@pytest.mark.scenario(26, 42)
def test_a_leader_whose_whole_host_is_lost_is_followed_by_another_cluster(stack: Stack, second: SecondCluster) -> None:
    research = start(stack, "--set", "training.epochs=200", "--set", "training.patience=null")
    wait_running(stack, research, "training", unit=1)
    first = leader(stack)
    assert first.main in {stack.pid("cluster"), second.pid}
    with frozen(*tree(first.main)):
        next_one = leader(stack, after=first.term, timeout=LEADS_WITHIN)
        assert next_one.main == ({stack.pid("cluster"), second.pid} - {first.main}).pop()
        wait_state(stack, research, "completed")
        before = query(stack, OPERATIONS, research), query(stack, NEWEST)
    wait_said(stack, "The leader lost the database", f"Term {first.term} is over")

    shown = completed(stack, research)
    assert (query(stack, OPERATIONS, research), query(stack, NEWEST)) == before
    assert [one["status"] for one in shown["operations"]] == ["completed"] * 4
    nothing_done_twice(stack)


def _event(shown: dict[str, Any], code: str) -> dict[str, Any]:
    found: dict[str, Any]
    [found] = [event for event in shown["events"] if event["code"] == code]
    return found
