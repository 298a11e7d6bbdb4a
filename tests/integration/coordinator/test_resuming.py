"""Resume goes on where it stopped: in each phase, after failure and cancel, from the checkpoint, with counters anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from research.coordinator.admission import admit, capacity
from research.lifecycle.states import ACTIVE, IN_PROCESS, PHASE_OF, Kind, Reason, State, Status
from research.models import Operation, Research
from research.services import researches
from tests.integration.coordinator.cast import covered, live, state, tick, tries
from tests.support import factories
from tests.support.caller import completed
from tests.support.sql import execute

if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def term() -> int:
    covered()
    return factories.term()


def begun(row: Research) -> Operation:
    """The next try of the present phase, running."""
    if PHASE_OF[State(row.state)] in IN_PROCESS:
        return factories.claimed(factories.queued(row))
    return factories.training_on(factories.worker(f"worker-{row.pk}"), row)


@pytest.mark.scenario(23)
@pytest.mark.parametrize("how", ["failed", "cancelled"])
@pytest.mark.parametrize("phase", ACTIVE)
def test_a_resumed_research_goes_on_in_its_phase_from_its_checkpoint(term: int, phase: State, how: str) -> None:
    """Scenario 23."""
    row = factories.research_in(phase)
    stopped = begun(row)
    saved = factories.checkpoint(stopped, 4)
    if how == "failed":
        factories.lost(stopped, Reason.ERROR)
        tick(term)
    else:
        researches.cancel(row.pk)
    assert state(row) == how
    tick(term)
    assert Operation.objects.filter(research=row, kind=stopped.kind).count() == 1, "nothing goes on by itself"
    researches.resume(row.pk, user="ada")
    tick(term)
    assert state(row) == phase
    heir = live(row)
    assert (heir.kind, heir.attempt, heir.continues_id) == (stopped.kind, 1, stopped.pk)
    assert (heir.resumed_from, heir.resumed_from_unit, heir.unit) == (saved, 4, 4)


@pytest.mark.scenario(23)
@pytest.mark.parametrize("phase", ACTIVE)
def test_a_cancel_before_the_first_try_resumes_in_that_phase(term: int, phase: State) -> None:
    row = factories.research_in(phase)
    researches.cancel(row.pk)
    researches.resume(row.pk)
    tick(term)
    assert (state(row), live(row).kind, live(row).attempt) == (phase, PHASE_OF[phase], 1)


@pytest.mark.scenario(37)
def test_a_cancel_between_accepted_and_absorbed_goes_on_with_the_next_phase(term: int) -> None:
    """Scenario 37."""
    row, gpu = factories.training_research(), factories.worker()
    training = factories.training_on(gpu, row)
    gpu.sync(completed(training, factories.training_result(training)))
    researches.cancel(row.pk)
    researches.resume(row.pk)
    tick(term)
    assert state(row) == State.BACKTESTING
    assert tries(row) == [("training", "completed", ""), ("backtest", "queued", "")]


@pytest.mark.scenario(37)
def test_the_same_for_a_design(term: int) -> None:
    design = factories.claimed()
    factories.done(design, {"spec": factories.SPEC, "sha256": "0" * 64})
    researches.cancel(design.research_id)
    researches.resume(design.research_id)
    tick(term)
    assert state(design.research) == State.TRAINING
    assert design.research.strategy is not None
    assert tries(design.research) == [("design", "completed", ""), ("training", "queued", "")]


@pytest.mark.scenario(23)
def test_a_research_that_was_given_up_gets_its_whole_limit_anew(term: int) -> None:
    row = factories.designing_research()
    for _ in range(2):
        for _ in range(5):
            tick(term)
            execute("UPDATE research_operation SET not_before = NULL WHERE status = 'queued'")
            factories.lost(factories.claimed(live(row)))
        tick(term)
        assert (state(row), row.reason) == (State.FAILED, Reason.GAVE_UP)
        researches.resume(row.pk)
    tick(term)
    assert live(row).attempt == 1
    assert Operation.objects.filter(research=row).count() == 11


def test_an_unusable_checkpoint_is_passed_over_for_the_one_before_or_the_beginning(term: int) -> None:
    """Scenarios 19 and 44."""
    row = factories.training_research()
    gone = factories.training_on(factories.worker("gone"), row)
    saved = [factories.checkpoint(gone, unit) for unit in (4, 5)]
    factories.lost(gone)
    for newest, expected in ((saved[1], 4), (saved[0], None)):
        execute("UPDATE research_checkpoint SET unusable = 'altered' WHERE id = %(id)s", id=newest.pk)
        tick(term)
        heir = live(row)
        assert heir.resumed_from_unit == expected
        assert heir.status == Status.QUEUED
        execute("UPDATE research_operation SET not_before = NULL WHERE status = 'queued'")
        by = factories.worker(f"heir-{newest.pk}")
        assert by.ask() is not None
        factories.lost(heir := factories.again(heir, Status.RUNNING), Reason.INTERRUPTED)
    assert Research.objects.get().state == State.TRAINING


# Places --------------------------------------------------------------------------------------------------------------


def test_pending_researches_begin_in_order_of_priority_then_of_creation(term: int) -> None:
    first, second = factories.pending_research(), factories.pending_research()
    urgent = factories.pending_research()
    researches.set_priority(urgent.pk, 3, user="ada")
    assert capacity() == 1
    assert admit(term) == [urgent.pk]
    assert admit(term) == []
    researches.cancel(urgent.pk)
    assert admit(term) == [first.pk]
    factories.worker()
    assert capacity() == 2
    assert admit(term) == [second.pk]


def test_the_limit_is_the_settings_when_one_is_given(term: int, settings: SettingsWrapper) -> None:
    from dataclasses import replace

    settings.ENV = replace(settings.ENV, max_active=2)
    all_three = [factories.pending_research().pk for _ in range(3)]
    assert admit(term) == all_three[:2]


def test_a_given_specification_needs_no_design_and_a_brief_does(term: int) -> None:
    given, brief = factories.pending_research(), factories.pending_research(designed=True)
    factories.worker()
    tick(term)
    assert (live(given).kind, live(brief).kind) == (Kind.TRAINING, Kind.DESIGN)
