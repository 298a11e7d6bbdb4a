"""Whatever writes is killed before each of its writes in turn: all of it happened, or nothing; done again, all."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction

from research.coordinator import admission, apply
from research.lifecycle.states import Reason, State
from research.models import Operation, Research
from research.runners import inprocess
from research.runners.liveness import Amnesty
from research.services import checkpoints, cover, datasets, researches, silence, sync, tokens, workers
from research.services.errors import ServiceError
from tests.integration.coordinator.cast import covered
from tests.integration.machine.clock import WEB
from tests.integration.machine.dying import Died, dying
from tests.integration.machine.processes import RESULTS
from tests.support import factories
from tests.support.blobs import blob_dir
from tests.support.caller import Caller, completed, failed, interrupted, running
from tests.support.sql import shift

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["blob_dir"]
pytestmark = pytest.mark.django_db

MOST_WRITES = 40
# What a reader can see, but for times, ids and names made at random: an id that was given and rolled back is a gap.
SEEN = {
    "research": "state, reason, priority, counted_from > 0, strategy_id IS NULL, ended_at IS NULL, gates::text",
    "operation": "kind, status, reason, attempt, resumed_from_unit, unit, reported, result IS NULL, rung_at IS NULL,"
                 " metrics_through, continues_id IS NULL",
    "event": "code, level, message ~ 'unit'",
    "worker": "regexp_replace(name, '-[0-9]+', ''), session IS NULL, seq, idle, draining, drain_requested,"
              " incarnation IS NULL",
    "workersession": "confirmed_at IS NULL, ended_at IS NULL",
    "checkpoint": "unit, unusable, pruned_at IS NULL", "artifact": "name", "measure": "unit", "dataset": "symbol",
    "term": "label, ended_at IS NULL", "trial": "verdict", "workertoken": "name, revoked_at IS NULL",
    "cover": "silence_ended, silence_since IS NULL", "strategy": "name", "webprocess": "label",
}  # fmt: skip


class Undone(Exception):
    """Rolls back to where a case began."""


def seen() -> list[tuple[Any, ...]]:
    rows = [f"SELECT '{table}', ROW({columns})::text FROM research_{table}" for table, columns in SEEN.items()]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a commit would check is checked now
        cursor.execute(" UNION ALL ".join([*rows, "SELECT 'queue', count(*)::text FROM django_q_ormq"]))
        found = sorted(cursor.fetchall())
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return found


def _amid(prepared: Callable[[], Callable[[], Any]]) -> Iterator[tuple[int, Callable[[], Any]]]:
    """The same beginning again and again, each time for a death one write later."""
    for before in range(MOST_WRITES):
        with suppress(Undone), transaction.atomic():
            yield before, prepared()
            raise Undone


# What writes ---------------------------------------------------------------------------------------------------------


def _report(kind: str) -> Callable[[], Any]:
    """A worker's call about a training, its hand-shake and its artifact behind it."""
    by = factories.worker()
    operation = factories.training_on(by)
    said = {
        "running": lambda: running(operation, 3, metrics=[{"unit": 3, "values": {"loss": 0.5}}]),
        "completed": lambda: completed(operation, factories.training_result(operation)),
        "failed": lambda: failed(operation),
        "interrupted": lambda: interrupted(operation),
    }[kind]()
    request = by.request(said)
    return lambda: sync.handle(request, "backend:8000")


def _first_calls(*, echoed: bool) -> Callable[[], Any]:
    factories.worker().sync()
    newer = Caller("gpu")
    if echoed:
        newer.sync()
    request = newer.request()
    return lambda: sync.handle(request, "backend:8000")


def _assignment() -> Callable[[], Any]:
    factories.queued(factories.training_research())
    by = factories.worker()
    by.sync()
    assert by.session is not None
    session = by.session
    return lambda: sync.assign(by.name, session, by.seq, by.kinds)


def _upload(what: str) -> Callable[[], Any]:
    operation = factories.training_on(factories.worker())
    for unit in (1, 2):
        factories.checkpoint(operation, unit)
    if what == "checkpoint":
        return lambda: factories.checkpoint(operation, 3)
    return lambda: factories.artifact(operation, "model.safetensors")


def _unusable() -> Callable[[], Any]:
    saved = factories.checkpoint(factories.training_on(factories.worker()), 5)
    return lambda: checkpoints.mark_unusable(saved.pk, "It is cut off.")


def _step(build: Callable[[], Research]) -> Callable[[], Any]:
    covered()
    row, term = build(), factories.term()
    return lambda: apply._one_step(row.pk, term, Amnesty())


def _orphan() -> Research:
    return factories.claimed().research  # nobody holds its lock


def _absorbed(state: State) -> Callable[[], Research]:
    def build() -> Research:
        row = factories.research_in(state)
        if state == State.TRAINING:
            factories.finished_training(row)
        elif state == State.BACKTESTING:
            factories.finished_backtest(row)
        else:
            kind = "design" if state == State.DESIGNING else "assessment"
            factories.done(factories.claimed(factories.queued(row)), RESULTS[kind])
        return row

    return build


def _broken() -> Research:
    row = factories.training_research()
    factories.lost(factories.training_on(factories.worker(), row), Reason.ERROR)
    return row


def _admission() -> Callable[[], Any]:
    factories.pending_research()
    factories.worker()
    term = factories.term()
    return lambda: admission.admit(term)


def _claim() -> Callable[[], Any]:
    operation = factories.queued(factories.designing_research())
    return lambda: inprocess._claim(operation.pk, factories.CLUSTER, "cluster")


def _end(**outcome: Any) -> Callable[[], Any]:
    operation = factories.queued(factories.designing_research())
    inprocess._claim(operation.pk, factories.CLUSTER, "cluster")
    return lambda: inprocess._end(operation.pk, outcome, factories.CLUSTER)


def _of(act: Callable[[int], Any], build: Callable[[], Research]) -> Callable[[], Any]:
    row = build()
    return lambda: act(row.pk)


def _running() -> Research:
    return factories.training_on(factories.worker()).research


def _drain() -> Callable[[], Any]:
    factories.worker()
    return lambda: workers.drain("gpu", user="ada")


def _silent() -> Callable[[], Any]:
    covered()
    factories.worker("a")
    factories.worker("b")
    shift("worker", -4, "last_seen_at")
    return silence.watch


def _loading() -> Callable[[], Any]:
    bars = datasets.read(factories.dataset())
    other = type(bars)("OTHER", "1d", bars.time, bars.open, bars.high, bars.low, bars.close, bars.volume)
    return lambda: datasets.store(other, source="test")


CASES: dict[str, Callable[[], Callable[[], Any]]] = {
    "a research is started": lambda: factories.dataset() and factories.pending_research,
    "a research is cancelled": lambda: _of(lambda pk: researches.cancel(pk, user="ada"), _running),
    "a research is resumed": lambda: _of(lambda pk: researches.resume(pk, user="ada"), factories.failed_research),
    "its priority is changed": lambda: _of(lambda pk: researches.set_priority(pk, 3), factories.pending_research),
    "a worker is drained": _drain,
    "a worker reports progress": lambda: _report("running"),
    "a worker reports a result": lambda: _report("completed"),
    "a worker reports a crash": lambda: _report("failed"),
    "a worker hands over": lambda: _report("interrupted"),
    "a worker says hello": lambda: _first_calls(echoed=False),
    "a worker echoes its session": lambda: _first_calls(echoed=True),
    "a worker is given work": _assignment,
    "a checkpoint is stored": lambda: _upload("checkpoint"),
    "an artifact is stored": lambda: _upload("artifact"),
    "a checkpoint is found unusable": _unusable,
    "a research is admitted": _admission,
    "a phase is started": lambda: _step(factories.designing_research),
    "a lost phase is failed": lambda: _step(_orphan),
    "a design is absorbed": lambda: _step(_absorbed(State.DESIGNING)),
    "a training is absorbed": lambda: _step(_absorbed(State.TRAINING)),
    "a backtest is absorbed": lambda: _step(_absorbed(State.BACKTESTING)),
    "an assessment is absorbed": lambda: _step(_absorbed(State.ASSESSING)),
    "a research is failed": lambda: _step(_broken),
    "a phase is claimed": _claim,
    "a phase ends with its result": lambda: _end(result=RESULTS["design"]),
    "a phase is handed over": lambda: _end(reason=Reason.INTERRUPTED, message="Its cluster leaves.", trace=""),
    "a leader takes office": lambda: factories.term("before") and (lambda: factories.term("after")),
    "workers fall silent together": _silent,
    "a web process starts": lambda: lambda: cover.start(WEB, 1, "web"),
    "a token is made": lambda: lambda: tokens.create_token("gpu"),
    "a token is revoked": lambda: tokens.create_token("gpu") and (lambda: tokens.revoke("gpu")),
    "bars are loaded": _loading,
}


@pytest.mark.scenario(30)
@pytest.mark.parametrize("case", CASES)
def test_a_death_before_any_write_leaves_all_or_nothing_and_the_same_again_does_all(case: str) -> None:
    nothing = everything = None
    for before, act in _amid(CASES[case]):
        began = seen()
        try:
            with dying(before) as written:
                act()
        except Died:
            left = seen()
            assert left in (nothing, everything), f"{case}, dead before write {before}: half of it is there"
            with suppress(ServiceError):
                act()
            assert left == everything or seen() == everything, f"{case}, dead before write {before}: not done again"
        else:
            if before > len(written):
                break  # it has no more writes
            nothing, everything = began, seen()
            assert written, f"{case} writes nothing"
            assert nothing != everything, f"{case} changes nothing"
    else:
        raise AssertionError(f"{case} never ends")
    assert Operation.objects.count() == Research.objects.count() == 0, "each case was undone"
