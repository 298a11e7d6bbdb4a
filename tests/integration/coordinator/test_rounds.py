"""The leader's rounds: they cost what changed, and nothing is missed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from research.coordinator import attention
from research.coordinator.leader import EVERYTHING, Leader
from research.coordinator.loop import Rounds, serve
from research.lifecycle.states import Kind, Reason, State
from research.models import Cluster, Operation
from research.models.clock import DatabaseNow
from research.services import locks
from research.services.change import change
from tests.integration.coordinator.cast import covered, live, tries
from tests.support import factories
from tests.support.sql import execute, shift
from tests.support.threads import aside
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rounds() -> Iterator[Rounds]:
    """A leader that has looked at everything once; there was nothing."""
    covered()
    with Leader(uuid4(), "leads") as leader:
        found = Rounds(leader)
        turn(found, {EVERYTHING})
        yield found


def turn(rounds: Rounds, woken: set[int]) -> None:
    rounds.turn(woken, attention.present())


def told(rounds: Rounds) -> set[int]:
    return wait_until(lambda: rounds.leader.wait(1), what="a commit tells the leader")


def queued_trainings(count: int) -> list[Operation]:
    return [factories.queued(factories.training_research()) for _ in range(count)]


def test_a_commit_tells_of_its_research_and_the_turn_takes_its_step(rounds: Rounds) -> None:
    training = factories.training_on(factories.worker())
    told(rounds)
    factories.lost(training)
    assert told(rounds) == {training.research_id}
    turn(rounds, {training.research_id})
    assert tries(training.research) == [("training", "failed", "orphaned"), ("training", "queued", "")]


def test_progress_and_heartbeats_wake_nobody(rounds: Rounds) -> None:
    rounds.leader.wait(0.01)
    with change() as record:
        record.touch("operation", 7)
        record.touch("worker", 1)
    with change() as record:
        record.touch("research", 3)
    assert told(rounds) == {3}


def test_a_turn_costs_what_changed_and_not_what_exists(rounds: Rounds) -> None:
    def statements() -> int:
        row = factories.training_research()
        told(rounds)
        rounds._tick = float("inf")  # beside the looks of every second
        with CaptureQueriesContext(
            connection,
        ) as asked:
            turn(rounds, {row.pk})
        assert tries(row) == [("training", "queued", "")]
        return sum("research_term t SET" not in each["sql"] for each in asked)  # but for the renewal of the term

    few = statements()
    queued_trainings(20)
    assert statements() == few


def test_a_research_that_somebody_held_is_taken_up_again_in_the_next_turn(rounds: Rounds) -> None:
    row = factories.training_research()
    told(rounds)
    with transaction.atomic():
        locks.research(row.pk)
        with aside(lambda: turn(rounds, {row.pk})) as future:
            future.result(20)
    assert tries(row) == []
    there = attention.present()
    assert rounds.patience(there) < 1, "soon"
    turn(rounds, set())
    assert tries(row) == [("training", "queued", "")]


def test_a_word_that_got_lost_is_made_good_by_the_look_at_everything(rounds: Rounds) -> None:
    row = factories.training_research()
    rounds._tick = 0.0
    turn(rounds, set())
    assert tries(row) == [], "every second only what a clock decides is looked up"
    rounds._tick = rounds._full = 0.0
    turn(rounds, set())
    assert tries(row) == [("training", "queued", "")]


@pytest.mark.scenario(9)
def test_a_new_leader_looks_at_everything_first() -> None:
    covered()
    idle, lost = factories.training_research(), factories.claimed()
    with Leader(uuid4(), "new") as leader:
        assert serve(leader, seconds=0.01) is True
    assert tries(idle) == [("training", "queued", "")]
    assert tries(lost.research) == [("design", "failed", "orphaned"), ("design", "queued", "")]


@pytest.mark.scenario(8)
@pytest.mark.parametrize("build", [lambda: None, factories.completed_research, factories.failed_research])
def test_a_leader_without_work_leaves_at_once(build: object) -> None:
    covered()
    build()  # type: ignore[operator]
    with Leader(uuid4(), "idle") as leader:
        assert serve(leader, seconds=30) is False


# What a clock decides ------------------------------------------------------------------------------------------------


def test_silence_is_looked_at_only_where_somebody_could_take_over() -> None:
    covered()
    training = factories.training_on(factories.worker())
    shift("operation", -8, "lease_expires_at")
    assert attention.due() == []
    factories.worker("idle", "backtest").sync()
    assert attention.due() == [], "of another kind"
    factories.worker("able").sync()
    assert attention.due() == [training.research_id]
    covered(3)
    assert attention.due() == [], "nobody could hear for long enough"


def test_a_deadline_is_looked_at_whether_or_not_somebody_could_take_over() -> None:
    covered()
    training = factories.training_on(factories.worker())
    shift("operation", -7 * 3600, "deadline_at")
    assert attention.due() == [training.research_id]


def cluster(**fields: object) -> Cluster:
    now = DatabaseNow()
    times = {"started_at": now, "stamped_at": now, "noted_at": now}
    return Cluster.objects.create(id=uuid4(), label="c", **(times | fields))


@pytest.mark.parametrize(("clusters", "running", "rung"), [(0, 0, 1), (1, 0, 4), (1, 3, 1), (1, 4, 1), (2, 3, 5)])
def test_as_many_queued_phases_are_rung_as_there_are_places_and_one_in_any_case(
    clusters: int, running: int, rung: int
) -> None:
    for _ in range(clusters):
        cluster()
    cluster(drain_until=DatabaseNow())
    cluster(ended_at=DatabaseNow())
    for _ in range(running):
        factories.claimed(lease=600, deadline=600)
    waiting = {factories.queued(factories.designing_research()).research_id for _ in range(6)}
    assert len(set(attention.due()) & waiting) == rung


def test_the_longest_unheard_is_rung_first_and_one_whose_doorbell_waits_is_not() -> None:
    from django_q.models import OrmQ

    rows = [factories.queued(factories.designing_research()) for _ in range(4)]
    for seconds, operation in zip((3, 9, 1, 5), rows, strict=True):
        execute("UPDATE research_operation SET rung_at = clock_timestamp() - make_interval(secs => %(s)s)"
                " WHERE id = %(id)s", s=float(seconds), id=operation.pk)  # fmt: skip
    assert attention.due() == [rows[1].research_id]
    waits = OrmQ.objects.create(key="ktrdr", payload="", lock=rows[0].queued_at)
    Operation.objects.filter(pk=rows[1].pk).update(doorbell=waits.pk)
    assert attention.due() == [rows[3].research_id]


# One among several (24, 25) ------------------------------------------------------------------------------------------


@pytest.mark.scenario(24)
def test_an_error_in_one_research_does_not_keep_the_turn_from_the_others(rounds: Rounds) -> None:
    bad, good = factories.training_research(), factories.training_research()
    broken = factories.training_on(factories.worker("broken"), bad)
    factories.done(broken, {"finite": True})  # accepted by its form, but the gate cannot be decided
    whole = factories.training_on(factories.worker("whole"), good)
    factories.done(whole, factories.training_result(whole))
    turn(rounds, {EVERYTHING})
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.state, bad.reason, good.state) == (State.FAILED, Reason.ERROR, State.BACKTESTING)
    assert live(good).kind == Kind.BACKTEST


@pytest.mark.scenario(25)
def test_with_two_workers_and_three_researches_the_third_waits_for_no_more_than_what_began_before_it(
    rounds: Rounds,
) -> None:
    rows = [factories.training_research() for _ in range(3)]
    workers = [factories.worker("one"), factories.worker("two")]
    turn(rounds, {EVERYTHING})
    served: list[tuple[int, str]] = []
    while len(served) < 6:
        for caller in workers:
            given = caller.ask()
            if given is None:
                continue
            operation = Operation.objects.get(pk=given.id)
            served.append((rows.index(operation.research), operation.kind))
            made = {"training": factories.training_result, "backtest": factories.backtest_result}[operation.kind]
            factories.done(operation, made(operation))
            turn(rounds, {operation.research_id})
    assert served[:5] == [(0, "training"), (0, "backtest"), (1, "training"), (1, "backtest"), (2, "training")]
