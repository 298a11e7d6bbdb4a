"""Of a training or a backtest: what runs on workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from research.selectors.standing import silent
from research.selectors.standing.base import Code, Standing, goes_on_from, phase, start_worker
from research.selectors.standing.common import back_off, overdue, runs
from research.selectors.standing.pending import unled
from research.selectors.workers import WorkerState

if TYPE_CHECKING:
    from research.models import Operation
    from research.selectors.standing.situation import Situation
    from research.selectors.workers import WorkerView

_NO_WEB = "no web process runs, so no worker is heard: start one (manage.py up, or manage.py web)"


def queued(operation: Operation, situation: Situation) -> Standing:
    waiting = back_off(operation, situation)
    if waiting is not None:
        return waiting
    able = situation.able(operation.kind)
    if situation.deaf and situation.of_kind(operation.kind):
        return _needs(operation, Code.UNHEARD, _NO_WEB)
    if not able:
        return _nobody(operation, situation)
    ahead, busy = _ahead(operation, situation), _busy(operation.kind, able)
    if not ahead and not busy:
        return Standing(Code.WORKER_TAKES, f"{phase(operation)} is queued; a worker takes it in a moment.")
    waits = f"{ahead} ahead of it" if ahead else busy
    both = " and ".join(part for part in (f"{ahead} ahead of it" if ahead else "", busy) if part)
    sentence = f"{phase(operation)} waits for a worker: {both}; it begins by itself, and sooner with another worker."
    return Standing(Code.AHEAD if ahead else Code.WORKERS_BUSY, sentence, waits)


def _ahead(operation: Operation, situation: Situation) -> int:
    place = (-operation.research.priority, operation.research_id)
    return sum(kind == operation.kind and (-priority, research) < place for kind, priority, research in situation.queue)


def _busy(kind: str, able: list[WorkerView]) -> str:
    """Empty while one is free."""
    if not all(worker.operations for worker in able):
        return ""
    return f"the {kind} worker {able[0].name} is busy" if len(able) == 1 else f"all {len(able)} {kind} workers are busy"


def _nobody(operation: Operation, situation: Situation) -> Standing:
    kind = operation.kind
    by_state = {view.state: view for view in situation.of_kind(kind)}
    if WorkerState.SUSPECT in by_state:
        waits = f"the {kind} workers have just fallen silent"
        sentence = f"{phase(operation)} waits: {waits}; the first that is heard again takes it."
        return Standing(Code.WORKERS_SUSPECT, sentence, waits, "warn")
    if WorkerState.DRAINING in by_state:
        waits = f"no {kind} worker takes new work: they are draining"
        return _needs(operation, Code.WORKERS_DRAINING, waits, start_worker(kind))
    if WorkerState.DISCONNECTED in by_state:
        view = by_state[WorkerState.DISCONNECTED]
        waits = f"no {kind} worker is connected: {silent.since(view)}"
        what = f"see whether it runs and reaches this backend, or {start_worker(kind).replace('one', 'another', 1)}"
        return _needs(operation, Code.WORKERS_SILENT, waits, what)
    return _needs(operation, Code.NO_WORKER, f"no {kind} worker is connected", start_worker(kind))


def _needs(operation: Operation, code: Code, waits: str, do: str = "") -> Standing:
    sentence = f"{phase(operation)} waits: {waits}{f'; {do}' if do else ''}."
    return Standing(code, sentence, waits, "bad", act=True)


def running(operation: Operation, situation: Situation) -> Standing:
    after = goes_on_from(operation.kind, situation.saved(operation))
    view = next((one for one in situation.workers if one.id == operation.worker_id), None)
    if view is None:
        return runs(operation, situation, f"on {operation.runner}", f"if that dies, it {after} elsewhere")
    if situation.deaf:
        sentence = f"{phase(operation)} runs on worker {view.name} by itself and loses nothing, but {_NO_WEB}."
        return Standing(Code.RUNS_UNHEARD, sentence, _NO_WEB, "bad", act=True)
    found = _leaving(operation, view, after) or silent.standing(operation, view, situation, after)
    if found is not None:
        return found
    if not operation.reported:
        return Standing(Code.GIVEN, f"{phase(operation)} is given to worker {view.name}, which is about to begin.")
    if (late := overdue(operation, situation)) is not None:
        return unled(f"{phase(operation)} passed its deadline and stays", situation) or late
    where = f"on worker {view.name}"
    return runs(
        operation, situation, where, f"if the worker dies, the work {after} on the next {operation.kind} worker"
    )


def _leaving(operation: Operation, view: WorkerView, after: str) -> Standing | None:
    if view.state != WorkerState.DRAINING:
        return None
    sentence = (
        f"Worker {view.name} is asked to leave: it saves a checkpoint and hands the {operation.kind} over, which then "
        f"{after.replace('is started', 'starts')} on the next {operation.kind} worker."
    )
    return Standing(Code.HANDING_OVER, sentence, tone="warn")
