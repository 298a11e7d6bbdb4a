"""Every limit as an operator meets it: its event, and the sentence that says what follows and what to do."""

from __future__ import annotations

import pytest

from research.lifecycle.states import LIVE, Reason, State
from research.models import Event, Operation, Research
from research.selectors.standing import Code, Situation, Standing, standing
from research.services import researches
from tests.integration.coordinator.cast import covered, live, tick
from tests.integration.selectors.situations import cluster
from tests.support import factories
from tests.support.caller import failed, running
from tests.support.sql import execute, shift

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def term() -> int:
    covered()
    cluster(key=factories.CLUSTER)
    return factories.term()


def stands(research: Research) -> Standing:
    research.refresh_from_db()
    return standing(research, research.operations.filter(status__in=LIVE).first(), Situation())


def event(code: str, research: Research) -> Event:
    return Event.objects.filter(code=code, research_id=research.pk).latest("seq")


def due(research: Research) -> None:
    """The back-off is over."""
    execute("UPDATE research_operation SET not_before = clock_timestamp() WHERE research_id = %(id)s"
            " AND status = 'queued'", id=research.pk)  # fmt: skip


@pytest.mark.scenario(28)
def test_a_deadline_is_announced_then_timed_out_and_the_work_goes_on_from_its_checkpoint(term: int) -> None:
    gpu = factories.worker("gpu")
    operation = factories.training_on(gpu)
    gpu.sync(running(operation, 41))
    factories.checkpoint(operation, 40)
    research = operation.research
    execute("UPDATE research_operation SET deadline_at = clock_timestamp() + interval '9 s'")
    assert stands(research).code == Code.DEADLINE_NEAR
    shift("operation", -12, "deadline_at", where=f"id = {operation.pk}")
    assert stands(research).code == Code.OVERDUE
    tick(term)
    told = event("operation.timed_out", research)
    assert (told.level, told.operation_id) == ("warning", operation.pk)
    assert "on worker gpu on here passed its deadline." in told.message
    assert told.data["late_s"] >= 3
    assert "from unit 40" in event("operation.restarted", research).message
    again = live(research)
    assert (again.continues_id, again.resumed_from_unit) == (operation.pk, 40)


@pytest.mark.scenario(20)
def test_work_that_kills_every_process_waits_longer_each_time_then_is_given_up_and_hinders_nobody(term: int) -> None:
    gpu = factories.worker("gpu", "training")
    other = factories.training_on(factories.worker("cpu", "training"))
    research = factories.training_research()
    waited: list[float] = []
    for loss in range(1, 6):
        tick(term)
        waited.append(event("operation.restarted" if loss > 1 else "operation.queued", research).data["delay_s"])
        if waited[-1]:
            assert stands(research).code == Code.BACK_OFF
            assert f"(try {loss}); after 5 losses in a row" in stands(research).sentence
        due(research)
        given = gpu.ask()
        assert given is not None
        gpu.sync(running(given.id, 1))
        gpu.sync(failed(given.id, "crashed", "Killed by signal 9."))
        gpu.sync()
        assert event("operation.crashed", research).level == "warning"
    tick(term)
    assert waited == [0, 0, 1, 2, 4]
    told = event("research.failed", research)
    assert (told.level, told.data["reason"]) == ("error", "gave_up")
    found = stands(research)
    assert (found.code, found.act) == (Code.GAVE_UP, True)
    assert "lost 5 times in a row without a new checkpoint, the last time: Killed by signal 9." in found.sentence
    assert f"manage.py research resume {research.pk}" in found.sentence
    last = Operation.objects.filter(research=research).latest("id")
    assert last.reason == Reason.CRASHED, "its last operation keeps its own reason"
    assert factories.again(other, other.status).pk == other.pk
    assert stands(other.research).code == Code.RUNS


@pytest.mark.scenario(20, 23)
def test_a_resume_after_a_give_up_counts_anew_and_says_where_it_stands(term: int) -> None:
    research = factories.failed_research(State.DESIGNING, Reason.GAVE_UP)
    assert stands(research).act
    researches.resume(research.pk, user="ada")
    assert stands(research).code in (Code.BEGINS, Code.WAITS_FOR_PLACE)
    tick(term)
    assert stands(research).code == Code.CLUSTER_TAKES
    assert live(research).attempt == 1
