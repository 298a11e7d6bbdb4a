"""Workers: the calls an agent makes, with everything that can happen to a call on its way and back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from research.lifecycle.states import Status
from research.models import Operation, Worker
from research.services import checkpoints, sync
from research.services.errors import ServiceError
from tests.integration.machine import clock
from tests.integration.machine.dying import Died, dying
from tests.support.caller import Caller
from tests.support.factories import sha
from workers.protocol import OperationReport

if TYPE_CHECKING:
    from workers.protocol import Assignment, OperationAnswer, SyncRequest

FILES = {"training": "model.safetensors", "backtest": "returns.npy"}


@dataclass
class Task:
    """What a worker has of one operation; all but `running` lies in its spool and survives its death."""

    id: int
    kind: str
    seed: int
    unit: int = 0
    state: str = "running"
    error: str = ""
    missing: bool = True  # as far as it knows its file is not stored

    @property
    def payload(self) -> bytes:
        """The same for every try, as it must be: it depends on what was asked for, not on who did it."""
        return f"{self.kind} of seed {self.seed}".encode()

    def report(self) -> OperationReport:
        said: dict[str, Any] = {"id": self.id, "state": self.state}
        if self.state == "running":
            said["progress"] = {"unit": self.unit, "units": 100, "fraction": min(self.unit / 100, 1)}
            said["metrics"] = [{"unit": unit, "values": {"loss": 1 / unit}} for unit in range(1, self.unit + 1)]
        elif self.state == "completed":
            said["result"] = self.result()
        elif self.state == "failed":
            said["error"] = {"reason": self.error, "message": "It broke."}
        return OperationReport.model_validate(said)

    def result(self) -> dict[str, Any]:
        digest = sha(self.payload)
        files = {FILES[self.kind]: {"sha256": digest, "size": len(self.payload)}}
        if self.kind == "training":
            base = {"skill": 0.01, "z": 2.5, "score_deviation": 0.2, "target_deviation": 1.0}
            return {"artifacts": files, "model_sha256": digest, "finite": True, "diverged": 0, "base_rate": base,
                    "history": [[]]}  # fmt: skip
        metrics = {"trades": 40, "max_drawdown": 0.1, "total_return": 0.05, "sharpe": 0.4}
        return {"artifacts": files, "trades_sha256": digest, "equity_sha256": digest, "metrics": metrics,
                "cost_sensitivity": [{"factor": 0, "total_return": 0.1}]}  # fmt: skip


@dataclass
class Agent:
    """One start of a worker. `heard_at`: when a call of it that counted was heard last."""

    name: str
    tasks: dict[int, Task] = field(default_factory=dict)
    late: list[SyncRequest] = field(default_factory=list)
    begun: set[int] = field(default_factory=set)
    draining: bool = False
    refused: bool = False
    heard_at: float = field(default_factory=clock.now)

    def __post_init__(self) -> None:
        self.caller = Caller(self.name, machine=self.name)

    @property
    def silence(self) -> float:
        return clock.now() - self.heard_at

    def restarted(self) -> Agent:
        """What it had not finished is gone with its children; its spool is there."""
        kept = {task.id: task for task in self.tasks.values() if task.state in ("completed", "failed")}
        return Agent(self.name, kept)

    def request(self) -> SyncRequest:
        if self.draining:
            for task in self.tasks.values():
                task.state = "interrupted" if task.state == "running" else task.state
        return self.caller.request(*[task.report() for task in self.tasks.values()], draining=self.draining)

    # Calls -----------------------------------------------------------------------------------------------------------

    def call(self, fate: str = "heard", dies: int = 0) -> None:
        """`fate`: heard, or lost, late, doubled, or its answer lost; the web process dies before its n-th write."""
        request = self.request()
        if fate == "late":
            self.late.append(request)
        elif fate != "lost":
            for _ in range(2 if fate == "doubled" else 1):
                self._arrives(request, heard=fate != "answer lost", dies=dies)

    def old_call_arrives(self) -> None:
        """Long after newer ones; nobody waits for its answer."""
        self._arrives(self.late.pop(0), heard=False, dies=0)

    def _arrives(self, request: SyncRequest, *, heard: bool, dies: int) -> None:
        before = Worker.objects.filter(name=self.name).first()
        newest = before is None or before.incarnation != request.incarnation or request.seq > before.seq
        try:
            with dying(dies):
                outcome = sync.handle(request, "backend:8000")
        except Died:
            return
        answer = outcome.answer
        if answer is None:
            self._is_superseded()
            self.refused = self.refused or heard
            return
        self._counted(request)
        given = answer.assignment
        if outcome.idle and given is None:
            try:
                with dying(dies):
                    given = sync.assign(self.name, answer.session, request.seq, request.kinds)
            except Died:
                return
            assert newest or given is None, "work is given in the answer to the newest call, or it would be lost"
        if heard:
            self.caller.session = answer.session
            self.draining = self.draining or answer.drain
            for one in answer.operations:
                self._is_told(one, request)
            if given is not None:
                self._begin(given)

    def _counted(self, request: SyncRequest) -> None:
        row = Worker.objects.get(name=self.name)
        if (row.incarnation, row.seq) == (self.caller.incarnation, request.seq):
            self.heard_at = clock.now()

    def _is_superseded(self) -> None:
        row = Worker.objects.get(name=self.name)
        assert row.incarnation != self.caller.incarnation, "the incarnation that counts is never refused"

    def _is_told(self, answer: OperationAnswer, request: SyncRequest) -> None:
        task = self.tasks.get(answer.id)
        if task is None:
            return
        row = Operation.objects.get(pk=answer.id)
        if answer.verdict == "continue":
            task.missing = bool(answer.missing_artifacts) or (task.missing and task.state != "completed")
            return
        mine = row.incarnation == request.incarnation
        assert row.status != Status.RUNNING or not mine, f"{answer.verdict} for operation {row.pk} that is its own"
        if answer.verdict == "acknowledged":
            assert row.status == {"completed": Status.COMPLETED}.get(task.state, Status.FAILED)
            assert task.state != "completed" or row.result == task.result()
        del self.tasks[answer.id]

    def _begin(self, given: Assignment) -> None:
        if given.id in self.tasks or given.id in self.begun:
            return
        self.begun.add(given.id)
        unit = given.checkpoints[0].unit if given.checkpoints else 0
        self.tasks[given.id] = Task(given.id, given.kind, given.seed, unit)

    # Files -----------------------------------------------------------------------------------------------------------

    def saves(self, task: Task, dies: int = 0) -> None:
        payload = f"{task.payload!r} at {task.unit}".encode()
        self._stores(task, dies, lambda: checkpoints.commit_checkpoint(
            task.id, task.unit, [payload], sha(payload), worker=self.name, incarnation=self.caller.incarnation
        ))  # fmt: skip

    def uploads(self, task: Task, dies: int = 0) -> None:
        self._stores(task, dies, lambda: checkpoints.commit_artifact(
            task.id, FILES[task.kind], [task.payload], hashlib.sha256(task.payload).hexdigest(), worker=self.name,
            incarnation=self.caller.incarnation,
        ))  # fmt: skip

    def _stores(self, task: Task, dies: int, store: Any) -> None:
        row = Operation.objects.select_related("worker").get(pk=task.id)
        assert row.worker is not None
        own = row.status == Status.RUNNING and row.incarnation == row.worker.incarnation == self.caller.incarnation
        try:
            with dying(dies):
                store()
        except Died:
            return
        except ServiceError as refusal:
            self._is_refused(own, refusal)
        else:
            later = row.worker.incarnation == self.caller.incarnation and task.state == "completed"
            assert own or (row.status == Status.RUNNING and later), f"a zombie stored something for {row}"

    @staticmethod
    def _is_refused(own: bool, refusal: ServiceError) -> None:
        assert not own, f"refused its own operation: {refusal}"
