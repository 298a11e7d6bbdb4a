"""A whole story, made by the services alone: lost and continued work, a verdict, and what still runs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from research.lifecycle.states import Kind, State
from research.models import Worker
from research.phases.base import Leaves
from research.services import absorb, checkpoints, operations, researches, terms
from research.services.change import change
from tests.integration.services_data import rows
from tests.unit.engine_b.cast import SPEC

if TYPE_CHECKING:
    from research.models import Checkpoint, Operation, Research

GIVEN = {**SPEC, "data": {"symbol": "ACME", "timeframe": "1d"}}


@dataclass
class Story:
    """Ids by name: `r` completed with `d1 d2 t1 t2 b a`, `r2` training with `l1 l2`, `r3` cancelled, `r4` pending."""

    ids: dict[str, int] = field(default_factory=dict)


def tell() -> Story:
    story = Story()
    terms.resign(terms.begin(cluster=rows.CLUSTER, backend_pid=1, label="first")[0])
    term, _ = terms.begin(cluster=rows.CLUSTER, backend_pid=2, label="second")
    rows.dataset()
    story.ids |= {"term": term} | _completed() | _others()
    return story


def checkpoint(operation: Operation, unit: int) -> Checkpoint:
    payload = f"{operation.pk} at {unit}".encode()
    worker = operation.worker
    assert worker is not None
    assert operation.incarnation is not None
    sha256 = hashlib.sha256(payload).hexdigest()
    return checkpoints.commit_checkpoint(
        operation.pk, unit, [payload], sha256, worker=worker.name, incarnation=operation.incarnation
    )


def _created(state: State | None = None, **fields: object) -> Research:
    parent = researches.create(brief="calm before the rise", **fields)  # type: ignore[arg-type]
    if state is not None:
        with change() as record:
            researches.begin(record, parent, state)
    return parent


def _completed() -> dict[str, int]:
    parent = _created(State.DESIGNING)
    first = rows.lost(rows.running_design(parent))
    second = _claimed(rows.queued(parent, Kind.DESIGN, continues=first.pk, attempt=2))
    rows.completed(second, spec=GIVEN)
    _leave(parent, second, Leaves(State.TRAINING, "On.", strategy=GIVEN, origin="evolution"))
    lost, done = _trained(parent)
    _leave(parent, done, Leaves(State.BACKTESTING, "On.", gates={"training": {"passed": True}}))
    backtest = rows.completed(rows.running(rows.worker("bars"), parent, Kind.BACKTEST))
    _leave(parent, backtest, Leaves(State.ASSESSING, "On.", gates={"backtest": {"passed": True}}))
    assessment = rows.completed(_claimed(rows.queued(parent, Kind.ASSESSMENT)))
    trial = {
        "symbol": "ACME", "timeframe": "1d", "strategy_sha256": "0" * 64, "spec": {}, "sharpe": 0.1, "dsr": 0.2,
        "verdict": "reject",
    }  # fmt: skip
    verdict = {"label": "reject", "why": ["Rejected: it is luck."], "tests": []}
    over = Leaves(State.COMPLETED, "Over.", verdict=verdict, metrics={"sharpe": 0.1, "trades": 12}, trial=trial)
    _leave(parent, assessment, over)
    return {
        "r": parent.pk, "d1": first.pk, "d2": second.pk, "t1": lost.pk, "t2": done.pk, "b": backtest.pk,
        "a": assessment.pk,
    }  # fmt: skip


def _trained(parent: Research) -> tuple[Operation, Operation]:
    """A training lost at unit 9, and the one that went on from its checkpoint to the end, with a stored model."""
    worker = rows.worker("gpu")
    lost = rows.running(worker, parent)
    saved = checkpoint(lost, 9)
    rows.lost(lost)
    done = rows.running(worker, parent, continues=lost.pk, restore=(saved.pk, 9), attempt=2)
    model = b"weights"
    sha256 = hashlib.sha256(model).hexdigest()
    assert done.incarnation is not None
    checkpoints.commit_artifact(done.pk, "model", [model], sha256, worker="gpu", incarnation=done.incarnation)
    rows.completed(done, artifacts={"model": {"sha256": sha256, "size": 7}}, model_sha256="m" * 64)
    return lost, done


def _others() -> dict[str, int]:
    gpu = Worker.objects.get(name="gpu")
    training = _created(State.TRAINING, given=GIVEN)
    first = rows.running(gpu, training)
    saved = checkpoint(first, 5)
    rows.lost(first)
    second = rows.running(gpu, training, continues=first.pk, restore=(saved.pk, 5), attempt=2)
    cancelled = _created(State.TRAINING, given=GIVEN)
    queued = rows.queued(cancelled)
    researches.cancel(cancelled.pk, user="ada")
    waiting = _created(State.TRAINING, given=GIVEN)
    waits = rows.queued(waiting)
    pending = _created()
    return {
        "r2": training.pk, "l1": first.pk, "l2": second.pk, "c2": saved.pk, "r3": cancelled.pk, "x": queued.pk,
        "r4": pending.pk, "r5": waiting.pk, "q": waits.pk,
    }  # fmt: skip


def _claimed(operation: Operation) -> Operation:
    with change() as record:
        operations.claim_in_process(
            record, operation, cluster=rows.CLUSTER, pid=77, runner="cluster 11111111 pid 77", lease=5, deadline=60
        )
    operation.refresh_from_db()
    return operation


def _leave(parent: Research, operation: Operation, leaves: Leaves) -> None:
    parent.refresh_from_db()
    with change() as record:
        absorb.absorb(record, parent, operation, leaves)
