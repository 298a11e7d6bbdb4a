"""The handoff's unit tests: what is an orphan, what is not, and that its check comes before everything else."""

from __future__ import annotations

import pytest

from research.lifecycle.states import EXTERNAL, IN_PROCESS, STATE_OF, Kind, Reason, Status
from research.lifecycle.step import Look, Nothing, Orphan, Start
from tests.unit.lifecycle.cast import EVIDENCE, decide, lost, one


@pytest.mark.scenario(1, 2)
@pytest.mark.parametrize("kind", IN_PROCESS)
def test_a_running_phase_without_its_process_is_an_orphan_and_then_tried_once_more(kind: Kind) -> None:
    running = one(kind, Status.RUNNING, 3)
    assert decide(STATE_OF[kind], [running], look=Look(lost=EVIDENCE, overdue={"late_s": 9.0})) == Orphan(3, EVIDENCE)
    again = decide(STATE_OF[kind], lost(Reason.ORPHANED, kind=kind, first=3))
    assert again == Start(kind, attempt=2, continues=3)


@pytest.mark.scenario(3)
@pytest.mark.parametrize("kind", IN_PROCESS)
def test_a_phase_whose_process_lives_is_untouched(kind: Kind) -> None:
    assert decide(STATE_OF[kind], [one(kind, Status.RUNNING)], look=Look()) == Nothing()


@pytest.mark.scenario(6)
@pytest.mark.parametrize("kind", EXTERNAL)
def test_work_on_a_worker_is_no_orphan_for_a_coordinator_that_knows_nothing_of_it(kind: Kind) -> None:
    others = [one(Kind.DESIGN, Status.COMPLETED, 1)]
    assert decide(STATE_OF[kind], [*others, one(kind, Status.RUNNING, 2)], look=Look()) == Nothing()
