"""Researches in every state, made by the services and the real engine: what a page has to show."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from research import phases
from research.lifecycle.states import STATE_OF, Kind, Reason, State
from research.models import Measure, Worker
from research.services import absorb, checkpoints, datasets, operations, researches
from research.services.change import change
from tests.integration.services_data import rows
from tests.unit.engine_b import cast
from workers import backtest, training
from workers.job import Interrupted, Job

if TYPE_CHECKING:
    from research.models import Operation, Research

BRIEF = "low momentum turns up"
STOPPED_AFTER = 5


@dataclass(frozen=True)
class Run:
    """What an engine's run told: its result and everything a reporter heard."""

    result: dict[str, Any] | None
    heard: cast.Recorder


@lru_cache(maxsize=1)
def engine() -> dict[str, Run]:
    """Runs of the real engine on 1,500 generated bars: `lost` (a training that stopped), `training`, `backtest`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bars").write_bytes(cast.bars(1500).to_bytes())
        lost = cast.Recorder(stop_after=STOPPED_AFTER)
        with suppress(Interrupted):
            training.run(_job("training", folder), lost)
        trained, traded = cast.Recorder(), cast.Recorder()
        first = training.run(_job("training", folder, lost.checkpoints[-1][1]), trained)
        (folder / "model").write_bytes(trained.artifacts["model.safetensors"])
        second = backtest.run(_job("backtest", folder), traded)
        return {"lost": Run(None, lost), "training": Run(first, trained), "backtest": Run(second, traded)}


def _job(kind: str, folder: Path, checkpoint: bytes | None = None) -> Job:
    files = {"bars": folder / "bars"} | ({"model": folder / "model"} if kind == "backtest" else {})
    return Job(1, kind, {"strategy": cast.spec()}, 11, checkpoint, files)


def pending(user: Any = None) -> Research:
    datasets.store(cast.bars(1500), source="test")
    return researches.create(brief=BRIEF, symbol="TEST", timeframe="1d", seed=11, user=user)


def begun(state: State = State.DESIGNING, user: Any = None) -> Research:
    parent = pending(user)
    with change() as record:
        researches.begin(record, parent, state)
    return parent


def designed(user: Any = None) -> Research:
    """In training: its design is complete, nothing is queued."""
    parent = begun(user=user)
    operation = rows.completed(_claimed(rows.queued(parent, Kind.DESIGN)), spec=cast.spec(), sha256="s" * 64)
    return leave(parent, operation)


def training_runs(user: Any = None) -> tuple[Research, Operation]:
    """A training that told its first epochs."""
    parent = designed(user)
    operation = rows.running(gpu("gpu-1"), parent, Kind.TRAINING)
    tell(operation, engine()["lost"])
    return parent, operation


def taken_over(user: Any = None) -> tuple[Research, Operation, Operation]:
    """That training lost its worker; another goes on from the checkpoint."""
    parent, first = training_runs(user)
    unit, payload = engine()["lost"].heard.checkpoints[-1]
    sha256 = hashlib.sha256(payload).hexdigest()
    assert first.incarnation is not None
    saved = checkpoints.commit_checkpoint(
        first.pk, unit, [payload], sha256, worker="gpu-1", incarnation=first.incarnation
    )
    orphaned(first)
    second = rows.running(gpu("gpu-2"), parent, Kind.TRAINING, continues=first.pk, restore=(saved.pk, unit), attempt=2)
    return parent, first, second


def trained(user: Any = None) -> Research:
    """Backtesting comes next."""
    parent, _first, second = taken_over(user)
    return leave(parent, done(second, engine()["training"]))


def assessed(user: Any = None) -> Research:
    """Complete, with a verdict, every number made by the engine."""
    parent = trained(user)
    traded = done(rows.running(gpu("gpu-2"), parent, Kind.BACKTEST), engine()["backtest"])
    leave(parent, traded)
    operation = _claimed(rows.queued(parent, Kind.ASSESSMENT))
    phase = phases.get(Kind.ASSESSMENT)
    return leave(parent, rows.completed(operation, **phase.run(Alone(parent, operation))))


def failed_with_orphans(times: int = 3) -> Research:
    """Given up in training: every try was lost at once."""
    parent = designed()
    before: Operation | None = None
    for attempt in range(1, times + 1):
        more: dict[str, Any] = {"continues": before.pk} if before else {}
        before = orphaned(rows.running(gpu(f"gpu-{attempt}"), parent, Kind.TRAINING, attempt=attempt, **more))
    fail(parent, Reason.GAVE_UP, f"The training was lost {times} times in a row without a new checkpoint.")
    return parent


def failed_in_design() -> Research:
    parent = begun()
    operation = _claimed(rows.queued(parent, Kind.DESIGN))
    with change() as record:
        operations.fail(
            record, operation, reason=Reason.ERROR, message="ValueError: no idea", traceback="line 1\nline 2"
        )
    fail(parent, Reason.ERROR, "ValueError: no idea")
    return parent


def skipped_backtest() -> Research:
    """The trained weights are not finite: straight to the assessment."""
    parent = designed()
    operation = rows.running(gpu("gpu-1"), parent, Kind.TRAINING)
    Measure.objects.create(operation=operation, unit=1, values={"fold": 0, "seed": 0, "epoch": 1})
    result = {**(engine()["training"].result or {}), "finite": False, "diverged": 4, "artifacts": {}}
    return leave(parent, rows.completed(operation, **result))


@dataclass
class Alone:
    """The context of an in-process phase that nobody interrupts."""

    research: Research
    operation: Operation
    restore: bytes | None = None

    def guard(self) -> None:
        """Nothing asks it to stop."""

    def progress(self, unit: int, units: int, message: str = "") -> None:
        """Nobody looks."""

    def checkpoint(self, unit: int, payload: bytes) -> None:
        """It is not resumed."""


def gpu(name: str) -> Worker:
    return Worker.objects.filter(name=name).first() or rows.worker(name)


def tell(operation: Operation, run: Run) -> None:
    """Its measures, and how far it is."""
    Measure.objects.bulk_create(
        Measure(operation=operation, unit=unit, values=values) for unit, values in run.heard.metrics
    )
    unit, units = run.heard.points[-1]
    with change() as record:
        fields = {"unit": unit, "units": units, "fraction": unit / units, "progress_message": "fold 1 of 2, model 1"}
        type(operation).objects.filter(pk=operation.pk).update(**fields)
        record.touch("operation", operation.pk)
    operation.refresh_from_db()


def done(operation: Operation, run: Run) -> Operation:
    tell(operation, run)
    assert operation.worker is not None
    assert operation.incarnation is not None
    for name, payload in run.heard.artifacts.items():
        checkpoints.commit_artifact(
            operation.pk, name, [payload], hashlib.sha256(payload).hexdigest(), worker=operation.worker.name,
            incarnation=operation.incarnation,
        )  # fmt: skip
    return rows.completed(operation, **(run.result or {}))


def orphaned(operation: Operation) -> Operation:
    with change() as record:
        operations.fail(
            record, operation, reason=Reason.ORPHANED, message="Its worker fell silent and the lease ran out.",
            late_s=1.5, rule="lease",
        )  # fmt: skip
    operation.refresh_from_db()
    return operation


def fail(parent: Research, reason: Reason, message: str) -> None:
    parent.refresh_from_db()
    with change() as record:
        researches.fail(record, parent, reason=reason, message=message)
    parent.refresh_from_db()


def leave(parent: Research, operation: Operation) -> Research:
    """What the phase leaves, by its own code."""
    parent.refresh_from_db()
    leaves = phases.get(operation.kind).leave(parent, operation)
    with change() as record:
        absorb.absorb(record, parent, operation, leaves)
    parent.refresh_from_db()
    assert parent.state == leaves.state
    assert leaves.state in {State.COMPLETED, *STATE_OF.values()}
    return parent


def _claimed(operation: Operation) -> Operation:
    with change() as record:
        operations.claim_in_process(
            record, operation, cluster=rows.CLUSTER, pid=77, runner="cluster box pid 77", lease=5, deadline=60
        )
    operation.refresh_from_db()
    return operation
