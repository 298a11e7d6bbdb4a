"""Named states, built by the services alone; each factory asserts the state it built."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from research import phases
from research.lifecycle.states import STATE_OF, Kind, Reason, State, Status
from research.models import Dataset, Operation, Research, Worker
from research.services import absorb, checkpoints, datasets, operations, researches, terms
from research.services.change import change
from tests.support.caller import Caller, running
from workers.market.bars import Bars

if TYPE_CHECKING:
    from research.models import Checkpoint

CLUSTER = UUID("c1c1c1c1-0000-4000-8000-000000000001")
PID = 77
SPEC: dict[str, Any] = {
    "name": "Test",
    "hypothesis": "Low momentum turns up.",
    "data": {"symbol": "ACME", "timeframe": "1d"},
    "indicators": {"rsi14": {"function": "rsi", "params": {"period": 14}}},
    "inputs": {"rsi14": ["low", "mid", "high"]},
    "rules": [{"if": {"rsi14": "low"}, "then": 0.5}, {"if": {"rsi14": "high"}, "then": -0.5}],
}
MODEL, RETURNS = b"the weights", b"the returns"


def dataset(symbol: str = "ACME", count: int = 60) -> Dataset:
    """Sixty daily bars of a random walk, loaded once."""
    known = Dataset.objects.filter(symbol=symbol).first()
    if known is not None:
        return known
    close = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, count)))
    time = 1_577_836_800 + 86_400 * np.arange(count)
    bars = Bars(symbol, "1d", time, close, close * 1.01, close * 0.99, close, np.full(count, 1e3))
    row, _ = datasets.store(bars, source="test")
    return row


# Researches ----------------------------------------------------------------------------------------------------------


def pending_research(*, designed: bool = False, **fields: Any) -> Research:
    """Waits to begin. Its specification is given, unless it is to be `designed`."""
    dataset()
    given = None if designed else SPEC
    row = researches.create(brief="momentum after quiet weeks", given=given, **({"seed": 7} | fields))
    assert row.state == State.PENDING
    return row


def _begun(state: State, **fields: Any) -> Research:
    row = pending_research(**fields)
    with change() as record:
        researches.begin(record, row, state)
    return _is(row, state)


def designing_research(**fields: Any) -> Research:
    return _begun(State.DESIGNING, designed=True, **fields)


def training_research(**fields: Any) -> Research:
    """In its training, without an operation yet."""
    return _begun(State.TRAINING, **fields)


def backtesting_research(**fields: Any) -> Research:
    """Its training is completed and absorbed."""
    row = training_research(**fields)
    finished_training(row)
    gates = {"training": {"passed": True, "checks": []}}
    with change() as record:
        researches.move_on(record, row, State.BACKTESTING, "On to its backtest.", gates=gates)
    return _is(row, State.BACKTESTING)


def assessing_research(**fields: Any) -> Research:
    """Its backtest is completed and absorbed, too."""
    row = backtesting_research(**fields)
    finished_backtest(row)
    gates = row.gates | {"backtest": {"passed": True, "checks": []}}
    with change() as record:
        researches.move_on(record, row, State.ASSESSING, "On to its assessment.", gates=gates)
    return _is(row, State.ASSESSING)


def research_in(state: State, **fields: Any) -> Research:
    """In that phase, without a live operation."""
    build = {
        State.DESIGNING: designing_research, State.TRAINING: training_research,
        State.BACKTESTING: backtesting_research, State.ASSESSING: assessing_research,
    }  # fmt: skip
    return build[state](**fields)


def failed_research(state: State = State.TRAINING, reason: Reason = Reason.GAVE_UP) -> Research:
    row = research_in(state)
    with change() as record:
        researches.fail(record, row, reason=reason, message="It was lost five times.")
    return _is(row, State.FAILED)


def cancelled_research(state: State = State.TRAINING) -> Research:
    return _is(researches.cancel(research_in(state).pk, user="ada"), State.CANCELLED)


def completed_research() -> Research:
    row = assessing_research()
    result = {"verdict": {"label": "reject", "why": [], "tests": []}, "metrics": {}, "sharpe_per_period": None}
    operation = done(claimed(queued(row)), result)
    with change() as record:
        absorb.absorb(record, row, operation, phases.get(Kind.ASSESSMENT).leave(row, operation))
    return _is(row, State.COMPLETED)


def _is(row: Research, state: State) -> Research:
    row.refresh_from_db()
    assert row.state == state, row.state
    return row


# Operations ----------------------------------------------------------------------------------------------------------


def queued(row: Research, **fields: Any) -> Operation:
    """The next try at the present phase of a research."""
    kind = next(kind for kind, state in STATE_OF.items() if state == row.state)
    before = row.operations.filter(kind=kind).order_by("-id").first()
    follows = {"continues": before.pk, "attempt": before.attempt + 1} if before else {"attempt": 1}
    with change() as record:
        operation = operations.create(record, row, kind, **({"spec": {}} | follows | fields))
    assert operation.status == Status.QUEUED
    return operation


def claimed(operation: Operation | None = None, *, lease: float = 5, deadline: float = 60) -> Operation:
    """An in-process operation that runs in process `PID` of `CLUSTER`; a design unless given."""
    operation = operation or queued(designing_research())
    with change() as record:
        operations.claim_in_process(
            record, operation, cluster=CLUSTER, pid=PID, runner="cluster c1 pid 77", lease=lease, deadline=deadline
        )
    return again(operation, Status.RUNNING)


def training_on(caller: Caller, row: Research | None = None, *, reported: bool = True, **fields: Any) -> Operation:
    """A training (or, by the research's state, a backtest) that runs on this worker, as it has reported."""
    operation = queued(row or training_research(), **fields)
    assignment = caller.ask()
    assert assignment is not None
    assert assignment.id == operation.pk
    if reported:
        assert caller.sync(running(operation)).operations[0].verdict == "continue"
    operation = again(operation, Status.RUNNING)
    assert operation.worker == caller.row()
    assert operation.reported == reported
    return operation


def worker(name: str = "gpu", *kinds: str, **fields: Any) -> Caller:
    """A worker that is connected and idle."""
    return Caller(name, kinds or ("training", "backtest"), **fields).connect()


def finished_training(row: Research) -> Operation:
    """Completed by a worker of its own, with its model stored."""
    by = worker(f"trainer-{row.pk}", "training")
    return done(training_on(by, row), training_result(training_operation_of(by)))


def finished_backtest(row: Research) -> Operation:
    by = worker(f"tester-{row.pk}", "backtest")
    return done(training_on(by, row), backtest_result(training_operation_of(by)))


def training_operation_of(caller: Caller) -> Operation:
    """What runs on this worker."""
    return Operation.objects.running().get(worker__name=caller.name)


def done(operation: Operation, result: dict[str, Any]) -> Operation:
    with change() as record:
        operations.complete(record, operation, result=result)
    return again(operation, Status.COMPLETED)


def lost(operation: Operation, reason: Reason = Reason.ORPHANED) -> Operation:
    """Ended with a reason that restarts its phase."""
    with change() as record:
        operations.fail(record, operation, reason=reason, message="Its runner is gone.")
    return again(operation, Status.FAILED)


def orphaned_training(unit: int | None = None) -> Operation:
    """Lost by its worker `gone`, with a checkpoint at `unit` if that is given."""
    by = worker("gone")
    operation = training_on(by)
    if unit is not None:
        checkpoint(operation, unit)
    operation = lost(operation)
    Worker.objects.filter(name="gone").update(idle=False)
    return operation


def again(operation: Operation, status: Status) -> Operation:
    """Read anew, in this status."""
    found = Operation.objects.select_related("worker", "research").get(pk=operation.pk)
    assert found.status == status, found.status
    return found


# What they store -----------------------------------------------------------------------------------------------------


def sha(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()


def checkpoint(operation: Operation, unit: int, payload: bytes = b"") -> Checkpoint:
    payload = payload or f"operation {operation.pk} at unit {unit}".encode()
    if operation.kind in (Kind.DESIGN, Kind.ASSESSMENT):
        assert operation.cluster is not None
        return checkpoints.commit_checkpoint_bytes(operation.pk, unit, payload, cluster=operation.cluster)
    return checkpoints.commit_checkpoint(operation.pk, unit, [payload], sha(payload), **_by(operation))


def artifact(operation: Operation, name: str, payload: bytes = MODEL) -> dict[str, Any]:
    """Store it; returns how a result lists it."""
    checkpoints.commit_artifact(operation.pk, name, [payload], sha(payload), **_by(operation))
    return {"sha256": sha(payload), "size": len(payload)}


def _by(operation: Operation) -> dict[str, Any]:
    assert operation.worker is not None
    return {"worker": operation.worker.name, "incarnation": operation.worker.incarnation}


def training_result(operation: Operation, *, store: bool = True, **changes: Any) -> dict[str, Any]:
    """One that is accepted and passes its gate."""
    listed = artifact(operation, "model.safetensors") if store else {"sha256": sha(MODEL), "size": len(MODEL)}
    base = {"skill": 0.01, "z": 2.5, "score_deviation": 0.2, "target_deviation": 1.0}
    return {
        "artifacts": {"model.safetensors": listed}, "model_sha256": sha(MODEL), "finite": True, "diverged": 0,
        "base_rate": base, "history": [[]],
    } | changes  # fmt: skip


def backtest_result(operation: Operation, **changes: Any) -> dict[str, Any]:
    listed = artifact(operation, "returns.npy", RETURNS)
    return {
        "artifacts": {"returns.npy": listed}, "trades_sha256": sha(b"t"), "equity_sha256": sha(b"e"),
        "metrics": {"trades": 40, "max_drawdown": 0.1, "total_return": 0.05, "sharpe": 0.4},
        "cost_sensitivity": [{"factor": 0, "total_return": 0.1}],
    } | changes  # fmt: skip


def term(label: str = "first", cluster: UUID = CLUSTER) -> int:
    """A term that begins now; the one before it ends."""
    number, _ = terms.begin(cluster=cluster, backend_pid=1, label=label)
    assert terms.present() is not None
    return number
