"""Many workers are told to call less often; each is judged by what it was told, and no change of it loses anybody."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from django.conf import settings as live_settings

from research.lifecycle.states import Status
from research.models import Cover, Worker
from research.models.clock import DatabaseNow
from research.runners.liveness import Amnesty, look_at
from research.selectors.waiting import Situation, waiting_for
from research.selectors.workers import WorkerState, all_workers
from research.services import silence
from research.services.sync import telling
from tests.support import factories
from tests.support.caller import running
from tests.support.sql import execute, shift

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django.fixtures import SettingsWrapper

    from research.models import Operation
    from tests.support.caller import Caller

pytestmark = pytest.mark.django_db(transaction=True)

OTHERS = 1000


@pytest.fixture(autouse=True)
def _counted_afresh() -> Iterator[None]:
    """The count is kept for a second: what one test counted is nothing to another."""
    telling.wanted(afresh=True)
    yield
    Worker.objects.filter(operations=None).delete()
    execute("UPDATE research_worker SET last_seen_at = last_seen_at - interval '1 day'")
    telling.wanted(afresh=True)


@pytest.fixture(autouse=True)
def _covered() -> None:
    """A web process has been up for an hour, and is."""
    now = {"up_since": DatabaseNow(), "noted_at": DatabaseNow(), "silence_since": None, "silence_ended": True}
    Cover.objects.update_or_create(id=1, defaults=now)
    shift("cover", -3600, "up_since")
    shift("cover", 3600, "noted_at")  # and goes on noting that it is


def connect(count: int, **fields: object) -> None:
    """So many others, heard of just now, at the pace they were told."""
    now = Worker.objects.count()
    Worker.objects.bulk_create(
        Worker(name=f"other-{now + n}", session=10_000 + now + n, last_seen_at=DatabaseNow(), **fields)
        for n in range(count)
    )
    telling.wanted(afresh=True)


def leave() -> None:
    Worker.objects.filter(name__startswith="other-").delete()
    telling.wanted(afresh=True)


def told(caller: Caller, operation: Operation | None = None) -> tuple[float, float]:
    answer = caller.sync(*([running(operation)] if operation else []))
    row = caller.row()
    assert (row.lease_s, row.heartbeat_s) == (answer.lease, answer.heartbeat), "it is judged by what it is told"
    return answer.lease, answer.heartbeat


def state(name: str = "gpu") -> WorkerState:
    return next(view.state for view in all_workers() if view.name == name)


def silent_for(seconds: float, operation: Operation | None = None, name: str = "gpu") -> None:
    """The worker was heard of so long ago, and renewed its lease then."""
    shift("worker", -seconds, "last_seen_at", where=f"name = '{name}'")
    if operation:
        shift("operation", -seconds, "lease_expires_at", where=f"id = {operation.pk}")


def test_a_few_workers_are_told_the_settings() -> None:
    env = live_settings.ENV
    assert told(factories.worker()) == (env.lease, env.heartbeat) == (6, 1)


def test_a_thousand_workers_are_told_to_call_every_five_seconds_from_the_first_answer_on() -> None:
    gpu = factories.worker()
    connect(OTHERS - 1)
    assert told(gpu) == (30, 5)
    late = factories.Caller("late")
    first = late.sync()
    assert first.heartbeat == pytest.approx(5)
    assert late.sync().lease == pytest.approx(30, rel=0.01)


def test_workers_that_went_away_are_not_counted() -> None:
    gpu = factories.worker()
    connect(OTHERS)
    execute("UPDATE research_worker SET last_seen_at = last_seen_at - interval '7 s' WHERE name <> 'gpu'")
    assert telling.wanted(afresh=True) == 1
    assert told(gpu) == (6, 1)


def test_after_our_own_outage_all_that_may_come_back_are_counted() -> None:
    connect(OTHERS)
    execute("UPDATE research_worker SET last_seen_at = last_seen_at - interval '60 s'")
    assert telling.wanted(afresh=True) == 1
    Cover.objects.update(up_since=DatabaseNow())
    assert telling.wanted(afresh=True) == 5


def test_a_stretched_worker_is_suspect_and_lost_by_its_own_measure() -> None:
    connect(OTHERS)
    gpu = factories.worker()
    training = factories.training_on(gpu)
    Worker.objects.filter(name__startswith="other-").update(idle=True, kinds=["training"], heartbeat_s=5, lease_s=30)
    for seconds, expected, sentence in (
        (10, WorkerState.CONNECTED, ""),
        (4, WorkerState.SUSPECT, "worker gpu has been silent for 14 s"),
        (17, WorkerState.DISCONNECTED, "worker gpu has been silent for 31 s"),
    ):
        silent_for(seconds, training)
        execute("UPDATE research_worker SET last_seen_at = clock_timestamp() WHERE name <> 'gpu'")
        training.refresh_from_db()
        assert state() == expected
        assert sentence in waiting_for(training.research, training, Situation())
        assert (look_at(training, Amnesty()).lost is not None) == (expected == WorkerState.DISCONNECTED)


def test_a_stretched_idle_worker_can_take_over_between_two_of_its_heartbeats() -> None:
    gpu = factories.worker()
    training = factories.training_on(gpu)
    heir = factories.worker("heir")
    heir.sync()
    silent_for(7, training)
    silent_for(4, name="heir")
    training.refresh_from_db()
    assert look_at(training, Amnesty()).lost is None, "told to call every second, it is suspect itself"
    Worker.objects.filter(name="heir").update(heartbeat_s=5, lease_s=30)
    assert look_at(training, Amnesty()).lost is not None


def test_when_many_come_nobody_who_calls_as_told_before_is_lost() -> None:
    gpu = factories.worker()
    training = factories.training_on(gpu)
    connect(OTHERS)
    silent_for(5, training)
    assert told(gpu, training) == (pytest.approx(30, rel=0.01), pytest.approx(5, rel=0.01))
    silent_for(29, training)
    training.refresh_from_db()
    assert state() == WorkerState.SUSPECT
    assert look_at(training, Amnesty()).lost is None
    assert told(gpu, training)[0] > 29


def test_when_many_leave_a_worker_whose_answers_are_lost_keeps_its_work() -> None:
    """It goes on calling every 5 s, since it does not hear that it may call sooner."""
    connect(OTHERS)
    gpu = factories.worker()
    training = factories.training_on(gpu)
    factories.worker("heir").sync()
    leave()
    leases = []
    for _ in range(4):
        leases.append(told(gpu, training)[0])
        silent_for(5, training)
        execute("UPDATE research_worker SET last_seen_at = clock_timestamp() WHERE name = 'heir'")
        training.refresh_from_db()
        assert look_at(training, Amnesty()).lost is None
        assert state() == WorkerState.CONNECTED
    assert leases == pytest.approx([24, 19.2, 15.4, 12.3], rel=0.02)


def test_when_many_leave_the_pace_comes_back_to_the_settings() -> None:
    connect(OTHERS)
    gpu = factories.worker()
    leave()
    assert [told(gpu) for _ in range(9)][-1] == (6, 1)


def test_a_new_start_is_told_the_present_pace_and_not_what_its_name_was_told_long_ago() -> None:
    connect(OTHERS)
    factories.worker()
    leave()
    assert told(factories.worker()) == (6, 1)


def test_an_outage_of_ours_leaves_a_stretched_worker_its_stretched_lease() -> None:
    connect(OTHERS)
    gpu = factories.worker()
    training = factories.training_on(gpu)
    leave()
    factories.worker("heir").sync()
    silent_for(200, training)
    Cover.objects.update(up_since=DatabaseNow())
    for seconds, lost in ((29, False), (2, True)):
        shift("cover", -seconds, "up_since")
        training.refresh_from_db()
        assert (look_at(training, Amnesty()).lost is not None) == lost
    factories.again(training, Status.RUNNING)


def test_a_deadline_that_passed_while_we_were_down_waits_for_the_stretched_lease() -> None:
    connect(OTHERS)
    training = factories.training_on(factories.worker())
    shift("operation", -10 * 86_400, "deadline_at", where=f"id = {training.pk}")
    Cover.objects.update(up_since=DatabaseNow())
    for seconds, overdue in ((29, False), (2, True)):
        shift("cover", -seconds, "up_since")
        training.refresh_from_db()
        assert (look_at(training, Amnesty()).overdue is not None) == overdue


def test_silence_together_is_told_and_borne_by_the_stretched_measure() -> None:
    connect(2, entry="here:8000", heartbeat_s=5, lease_s=30)
    silent_for(12, name="other-0")
    silent_for(12, name="other-1")
    assert not silence.watch()
    silent_for(20, name="other-0")
    silent_for(20, name="other-1")
    assert silence.watch()
    training = factories.training_on(factories.worker())
    factories.worker("heir").sync()
    Worker.objects.filter(name="gpu").update(heartbeat_s=5, lease_s=30)
    silent_for(40, training)
    for seconds, lost in ((140, False), (11, True)):
        shift("cover", -seconds, "silence_since")
        training.refresh_from_db()
        assert (look_at(training, Amnesty()).lost is not None) == lost


def test_the_rate_is_a_setting(settings: SettingsWrapper) -> None:
    settings.ENV = replace(settings.ENV, sync_rate=1)
    callers = [factories.worker(f"w{n}") for n in range(3)]
    telling.wanted(afresh=True)
    assert told(callers[0]) == (18, 3)
