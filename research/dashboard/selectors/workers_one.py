"""One worker: what it runs on and runs, its incarnations, and the operations it had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from research.dashboard.selectors.charts_time import elapsed
from research.dashboard.selectors.research_timeline import tone_of, units_of
from research.dashboard.selectors.workers_list import Row, row_of
from research.lifecycle.states import FINISHED
from research.models import Operation, Worker, WorkerSession
from research.selectors.standing import Situation
from research.services.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_SESSIONS, MOST_OPERATIONS = 20, 30
_GIB = 2**30


@dataclass(frozen=True, slots=True)
class Session:
    """One incarnation; `how` in words: `counts now`, `ended`, `was never confirmed`."""

    row: WorkerSession
    how: str
    tone: str


@dataclass(frozen=True, slots=True)
class Past:
    """An operation that is over."""

    operation: Operation
    tone: str
    units: str
    took: str


@dataclass(frozen=True, slots=True)
class One:
    """`facts` are name and value; `more_*` are not listed."""

    worker: Worker
    row: Row
    facts: list[tuple[str, str]]
    sessions: list[Session]
    more_sessions: int
    past: list[Past]
    more_past: int


def one(name: str) -> One:
    """Raises `NotFound`."""
    situation = Situation()
    worker = Worker.objects.filter(name=name).first()
    view = next((view for view in situation.workers if view.name == name), None)
    if worker is None or view is None:
        raise NotFound(f"There is no worker {name}.")
    sessions = WorkerSession.objects.filter(worker=worker).order_by("-id")
    past = Operation.objects.filter(worker=worker, status__in=FINISHED).defer("spec", "result").order_by("-id")
    listed, done = list(sessions[:MOST_SESSIONS]), list(past[:MOST_OPERATIONS])
    return One(
        worker, row_of(view, situation.now), _facts(worker), [_session(row, worker) for row in listed],
        sessions.count() - len(listed), [_past(row) for row in done], past.count() - len(done),
    )  # fmt: skip


def _session(row: WorkerSession, worker: Worker) -> Session:
    if row.ended_at is not None:
        return Session(row, "ended", "quiet")
    if row.confirmed_at is None:
        return Session(row, "was never confirmed", "quiet")
    return Session(row, "counts now", "good") if row.pk == worker.session else Session(row, "replaced", "quiet")


def _past(row: Operation) -> Past:
    took = (row.ended_at - row.started_at).total_seconds() if row.ended_at and row.started_at else None
    return Past(row, tone_of(row), units_of(row), "" if took is None else elapsed(max(took, 0.0)))


def _facts(worker: Worker) -> list[tuple[str, str]]:
    host: Mapping[str, Any] = worker.host
    cpu, versions = _dict(host.get("cpu")), _dict(host.get("versions"))
    memory = host.get("memory")
    found = [
        ("Host", host.get("hostname")), ("Process", host.get("pid")), ("System", host.get("system")),
        ("Cores", host.get("cores")), ("Processor", cpu.get("model")),
        ("Memory", f"{memory / _GIB:,.1f} GiB" if isinstance(memory, int | float) else None),
        ("GPU", host.get("gpu") or ("none" if host else None)), ("Python", versions.get("python")),
        ("NumPy", versions.get("numpy")), ("TA-Lib", versions.get("talib")), ("Comes through", worker.entry),
        ("Takes", ", ".join(map(str, worker.kinds))), ("Heartbeat", f"every {worker.heartbeat_s:g} s"),
        ("Lease", f"{worker.lease_s:g} s"),
    ]  # fmt: skip
    return [(name, str(value)) for name, value in found if value not in (None, "")]


def _dict(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}
