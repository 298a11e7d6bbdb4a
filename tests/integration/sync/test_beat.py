"""The one statement for plain calls does what the whole way of a call does; what is not plain it leaves alone."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.db import connection, transaction

from research.lifecycle.states import Status
from research.live.database import connection_parameters
from research.models import Measure, Operation, Worker
from research.services import researches, sync, workers
from research.services.change import CHANNEL
from tests.support import factories
from tests.support.caller import Caller, completed, failed, interrupted, running
from tests.support.sql import execute, shift

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workers.protocol import SyncAnswer, SyncRequest

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def gpu() -> Caller:
    return factories.worker()


def rows() -> list[Any]:
    """Everything sync writes, without the moments it was written at."""
    kept = [list(model.objects.order_by("pk").values()) for model in (Worker, Operation, Measure)]
    return [
        {name: value is not None if isinstance(value, datetime) else value for name, value in row.items()}
        | {"id": None if "values" in row else row["id"]}
        for table in kept for row in table
    ]  # fmt: skip


def undone(act: Callable[[], SyncAnswer | None]) -> tuple[SyncAnswer | None, list[Any]]:
    """What it answers and leaves behind; then all is as before."""
    with transaction.atomic():
        answer = act()
        left = rows()
        transaction.set_rollback(True)
    return answer, left


def beat(request: SyncRequest, entry: str = "backend:8000") -> SyncAnswer | None:
    [answer] = sync.beat([(request, entry)])
    return answer


POINT = {"unit": 7, "values": {"loss": 0.5}}
REPORTS: list[dict[str, Any]] = [
    {},
    {"unit": 40},
    {"unit": 20},
    {"unit": 10},
    {"unit": 40, "metrics": [POINT, {"unit": 8, "values": {"lo\x00ss": float("nan")}}]},
    {"metrics": [{"unit": 3, "values": {}}]},
    {"progress": {"unit": 20, "units": 50, "fraction": 0.4, "message": "odd \x00"}},
    {"unit": 40, "checkpoint_unit": 39},
]


@pytest.mark.parametrize("report", REPORTS, ids=range(len(REPORTS)))
def test_a_busy_workers_heartbeat_comes_to_the_same_both_ways(gpu: Caller, report: dict[str, Any]) -> None:
    training = factories.training_on(gpu)
    gpu.sync(running(training, 20, metrics=[{"unit": 5, "values": {"loss": 0.6}}]))
    unit = report.pop("unit", None) if "progress" not in report else None
    said = running(training, unit) if unit is not None else running(training)
    request = gpu.request(said.model_validate(json.loads(said.model_dump_json()) | report))
    quick = undone(lambda: beat(request))
    whole = undone(lambda: sync.handle(request, gpu.entry).answer)
    assert quick[0] is not None
    assert quick == whole


def test_an_idle_workers_heartbeat_comes_to_the_same_both_ways(gpu: Caller) -> None:
    request = gpu.request(wait=1)
    quick = undone(lambda: beat(request))
    assert quick[0] is not None
    assert quick == undone(lambda: sync.handle(request, gpu.entry).answer)


@pytest.mark.parametrize(("told", "wanted"), [(5, 1), (1, 1), (1, 5), (5, 4.5)])
def test_the_pace_comes_to_the_same_both_ways(
    gpu: Caller, told: float, wanted: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    from research.services.sync import telling

    monkeypatch.setattr(telling, "_wanted", telling._Wanted(wanted, float("inf")))
    Worker.objects.update(heartbeat_s=told, lease_s=told * 6)
    request = gpu.request()
    quick, whole = beat(request), undone(lambda: sync.handle(gpu.request(), gpu.entry).answer)[0]
    assert quick is not None
    assert (quick.lease, quick.heartbeat) == pytest.approx((max(wanted, 0.8 * told) * 6, max(wanted, 0.8 * told)))
    assert whole is not None


def _drained(caller: Caller, training: Operation) -> None:
    workers.drain(caller.name, user="ada")


def _cancelled(caller: Caller, training: Operation) -> None:
    researches.cancel(training.research_id, user="ada")


def _taken_over(caller: Caller, training: Operation) -> None:
    factories.lost(training)


def _replaced(caller: Caller, training: Operation) -> None:
    Caller(caller.name).connect()


def _newer(caller: Caller, training: Operation) -> None:
    sync.handle(caller.request(running(training, 60), seq=caller.seq + 10), caller.entry)


@pytest.mark.parametrize("change", [_drained, _cancelled, _taken_over, _replaced, _newer])
def test_a_call_that_is_answered_otherwise_is_left_alone(gpu: Caller, change: Any) -> None:
    training = factories.training_on(gpu)
    change(gpu, training)
    before = rows()
    assert beat(gpu.request(running(training, 50))) is None
    assert rows() == before


NOT_PLAIN: dict[str, Callable[[Caller, Operation], SyncRequest]] = {
    "completed": lambda gpu, one: gpu.request(completed(one, {})),
    "failed": lambda gpu, one: gpu.request(failed(one)),
    "interrupted": lambda gpu, one: gpu.request(interrupted(one)),
    "unreported": lambda gpu, one: gpu.request(),
    "unknown": lambda gpu, one: gpu.request(running(one.pk + 99)),
    "two at once": lambda gpu, one: gpu.request(running(one), running(one.pk + 99)),
    "draining": lambda gpu, one: gpu.request(running(one), draining=True),
    "no session": lambda gpu, one: gpu.request(running(one), session=None),
    "another session": lambda gpu, one: gpu.request(running(one), session=10**6),
    "another incarnation": lambda gpu, one: Caller("gpu", session=gpu.session, seq=50).request(running(one)),
    "an older call": lambda gpu, one: gpu.request(running(one), seq=0),
    "another host": lambda gpu, one: gpu.request(running(one), host={"hostname": "there"}),
}


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_what_is_not_plain_is_left_alone(gpu: Caller, name: str) -> None:
    training = factories.training_on(gpu)
    before = rows()
    assert beat(NOT_PLAIN[name](gpu, training)) is None
    assert rows() == before


def test_someone_elses_operation_is_left_alone(gpu: Caller) -> None:
    training = factories.training_on(factories.worker("owner"))
    before = rows()
    assert beat(gpu.request(running(training, 50))) is None
    assert rows() == before


def test_an_address_or_kinds_that_changed_take_the_whole_way(gpu: Caller) -> None:
    assert beat(gpu.request(), "elsewhere:8000") is None
    gpu.kinds = ("training",)
    assert beat(gpu.request()) is None


@pytest.fixture
def other_session() -> Iterator[psycopg.Connection]:
    with psycopg.connect(**connection_parameters()) as session:
        yield session


@pytest.mark.parametrize("table", ["worker", "operation"])
def test_it_waits_for_nobodys_lock(gpu: Caller, other_session: psycopg.Connection, table: str) -> None:
    """Whoever decides about the operation holds its lock: the call then takes the whole way, and waits there."""
    training = factories.training_on(gpu)
    execute("SET lock_timeout = '2s'")
    try:
        other_session.execute(f"SELECT 1 FROM research_{table} FOR UPDATE")
        assert beat(gpu.request(running(training, 50))) is None
        other_session.rollback()
        assert beat(gpu.request(running(training, 50))) is not None
    finally:
        execute("RESET lock_timeout")


def test_many_calls_at_once_are_each_answered_for_themselves() -> None:
    callers = [factories.worker(f"w{n}") for n in range(6)]
    trainings = [factories.training_on(caller) for caller in callers[:3]]
    factories.lost(trainings[1])
    calls = [(caller.request(running(training, 10 + n)), caller.entry)
             for n, (caller, training) in enumerate(zip(callers, trainings, strict=False))]  # fmt: skip
    calls += [(caller.request(), caller.entry) for caller in callers[3:]]
    answers = sync.beat([*calls, calls[5]])
    assert [answer is not None for answer in answers] == [True, False, True, True, True, True, False]
    assert [one.id for answer in answers[:3] if answer for one in answer.operations] == [
        trainings[0].pk, trainings[2].pk
    ]  # fmt: skip
    assert list(Operation.objects.order_by("id").values_list("unit", flat=True)) == [10, 0, 12]
    factories.again(trainings[1], Status.FAILED)


def test_only_progress_that_moved_is_pushed(gpu: Caller, other_session: psycopg.Connection) -> None:
    training = factories.training_on(gpu)
    other_session.autocommit = True
    other_session.execute(f"LISTEN {CHANNEL}")
    for unit, pushes in ((30, 1), (30, 0), (31, 1)):
        assert beat(gpu.request(running(training, unit))) is not None
        heard = [note.payload for note in other_session.notifies(timeout=0.3, stop_after=1)]
        assert heard == [f'{{"kind" : "operation", "id" : {training.pk}}}'] * pushes


def test_a_measure_is_durable_before_it_is_acknowledged_and_a_mere_heartbeat_need_not_be(gpu: Caller) -> None:
    training = factories.training_on(gpu)
    kept = []
    for report in (running(training, 3), running(training, 4, metrics=[POINT])):
        with transaction.atomic(), connection.cursor() as cursor:
            assert beat(gpu.request(report)) is not None
            cursor.execute("SHOW synchronous_commit")
            kept.append(cursor.fetchone()[0])
    assert kept == ["off", "on"]


def test_a_renewed_lease_counts_from_now(gpu: Caller) -> None:
    training = factories.training_on(gpu)
    shift("operation", -5, "lease_expires_at")
    assert beat(gpu.request(running(training))) is not None
    execute("UPDATE research_operation SET attempt = attempt")
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM lease_expires_at - clock_timestamp()) FROM research_operation")
        [[left]] = cursor.fetchall()
    assert 4 < left <= 6
