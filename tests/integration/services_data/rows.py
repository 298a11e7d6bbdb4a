"""The cast of these tests: named states built from real rows, through the services or with the event they demand."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import numpy as np

from research.lifecycle.states import STATE_OF, Kind, Reason, State, Status
from research.models import Operation, Research, Topic, Worker
from research.models.clock import DatabaseNow, In
from research.services import datasets, operations
from research.services.change import change
from workers.market.bars import Bars

if TYPE_CHECKING:
    from research.models import Dataset

CLUSTER = UUID("11111111-2222-3333-4444-555555555555")


def bars(count: int = 60, *, symbol: str = "ACME", seed: int = 1) -> Bars:
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, count)))
    time = 1_577_836_800 + 86_400 * np.arange(count)
    return Bars(symbol, "1d", time, close, close * 1.01, close * 0.99, close, np.full(count, 1000.0))


def dataset(symbol: str = "ACME") -> Dataset:
    row, _ = datasets.store(bars(symbol=symbol), source="test")
    return row


def worker(name: str = "gpu", *kinds: str) -> Worker:
    return Worker.objects.create(
        name=name,
        incarnation=uuid4(),
        session=1,
        kinds=list(kinds or ("training", "backtest")),
        last_seen_at=DatabaseNow(),
    )


def research(state: State = State.TRAINING, **fields: object) -> Research:
    row = Research.objects.create(
        brief="momentum after quiet weeks", symbol="ACME", timeframe="1d", seed=7, dataset=dataset(), **fields
    )
    if state != State.PENDING:
        with change() as record:
            Research.objects.filter(pk=row.pk).update(state=state, started_at=DatabaseNow())
            record.event(Topic.RESEARCH, "research.begun", "It begins.", research=row)
        row.refresh_from_db()
    assert row.state == state
    return row


def queued(parent: Research, kind: Kind = Kind.TRAINING, **fields: object) -> Operation:
    with change() as record:
        return operations.create(record, parent, kind, **({"spec": {}, "attempt": 1} | fields))


def running(by: Worker, parent: Research | None = None, kind: Kind = Kind.TRAINING, **fields: object) -> Operation:
    """An external operation that runs on a worker."""
    parent = parent or research(STATE_OF[kind])
    operation = queued(parent, kind, **fields)
    with change() as record:
        Operation.objects.filter(pk=operation.pk).update(
            status=Status.RUNNING, runner=f"worker {by.name}", worker=by, incarnation=by.incarnation, reported=True,
            started_at=DatabaseNow(), lease_expires_at=In(6), deadline_at=In(3600),
        )  # fmt: skip
        record.event(Topic.OPERATION, "operation.started", "It runs.", research=parent, operation=operation)
    operation.refresh_from_db()
    assert operation.status == Status.RUNNING
    return operation


def running_design(parent: Research | None = None) -> Operation:
    """An in-process operation of the cluster `CLUSTER`, process 77."""
    operation = queued(parent or research(State.DESIGNING), Kind.DESIGN)
    with change() as record:
        operations.claim_in_process(
            record, operation, cluster=CLUSTER, pid=77, runner="cluster 11111111 pid 77", lease=5, deadline=60
        )
    operation.refresh_from_db()
    return operation


def lost(operation: Operation) -> Operation:
    """The operation, orphaned."""
    with change() as record:
        operations.fail(record, operation, reason=Reason.ORPHANED, message="Its worker is gone.")
    operation.refresh_from_db()
    return operation


def completed(operation: Operation, **result: object) -> Operation:
    with change() as record:
        operations.complete(record, operation, result=result or {"done": True})
    operation.refresh_from_db()
    return operation


def finish(parent: Research) -> Research:
    """The research, completed, through the states on the way."""
    for state in (State.BACKTESTING, State.ASSESSING, State.COMPLETED):
        over = {"verdict": {"label": "rejected"}, "ended_at": DatabaseNow()} if state == State.COMPLETED else {}
        with change() as record:
            Research.objects.filter(pk=parent.pk).update(state=state, **over)
            record.event(Topic.RESEARCH, f"research.{state}", "On it goes.", research=parent)
    parent.refresh_from_db()
    return parent


def move(parent: Research, state: str) -> Research:
    """The research, moved on."""
    with change() as record:
        Research.objects.filter(pk=parent.pk).update(state=state)
        record.event(Topic.RESEARCH, f"research.{state}", "On it goes.", research=parent)
    parent.refresh_from_db()
    return parent
