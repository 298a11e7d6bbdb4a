"""A worker as the backend sees it: real sync calls through the service, without an agent behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from research.models import Operation, Worker
from research.services import sync
from workers.protocol import OperationReport, SyncRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workers.protocol import Assignment, SyncAnswer


@dataclass
class Caller:
    """One start of a worker. `sync()` sends its state and remembers session and `seq` as an agent does."""

    name: str = "gpu"
    kinds: Sequence[str] = ("training", "backtest")
    incarnation: UUID = field(default_factory=uuid4)
    machine: str = "here"
    entry: str = "backend:8000"
    session: int | None = None
    seq: int = -1

    def request(self, *reports: OperationReport, **changes: Any) -> SyncRequest:
        """The next call; `seq` grows unless it is given."""
        if "seq" not in changes:
            self.seq += 1
        host = {"hostname": self.machine, "machine": self.machine}
        said = {"session": self.session, "seq": self.seq, "operations": list(reports), "host": host} | changes
        return SyncRequest(
            worker=self.name, incarnation=self.incarnation, kinds=list(self.kinds),  # type: ignore[arg-type]
            **said,
        )  # fmt: skip

    def send(self, *reports: OperationReport, **changes: Any) -> sync.Outcome:
        outcome = sync.handle(self.request(*reports, **changes), self.entry)
        if outcome.answer is not None:
            self.session = outcome.answer.session
        return outcome

    def sync(self, *reports: OperationReport, **changes: Any) -> SyncAnswer:
        """Send, and get an answer that is no refusal."""
        outcome = self.send(*reports, **changes)
        assert outcome.answer is not None, outcome.refused
        return outcome.answer

    def connect(self) -> Caller:
        """Hand-shake: the first call gets a session, the second, which echoes it, counts."""
        self.sync()
        self.sync()
        row = self.row()
        assert (row.incarnation, row.session) == (self.incarnation, self.session)
        return self

    def ask(self) -> Assignment | None:
        """An idle call, and the work it is given."""
        answer = self.sync()
        if answer.assignment is not None:
            return answer.assignment
        assert self.session is not None
        return sync.assign(self.name, self.session, self.seq, self.kinds)

    def row(self) -> Worker:
        return Worker.objects.get(name=self.name)


def running(operation: Operation | int, unit: int | None = None, **fields: Any) -> OperationReport:
    """`unit` of 100."""
    progress = None if unit is None else {"unit": unit, "units": 100, "fraction": unit / 100}
    return _report(operation, "running", progress=progress, **fields)


def completed(operation: Operation | int, result: dict[str, Any]) -> OperationReport:
    return _report(operation, "completed", result=result)


def failed(
    operation: Operation | int, reason: str = "crashed", message: str = "Killed by signal 9."
) -> OperationReport:
    return _report(operation, "failed", error={"reason": reason, "message": message})


def interrupted(operation: Operation | int) -> OperationReport:
    return _report(operation, "interrupted")


def _report(operation: Operation | int, state: str, **fields: Any) -> OperationReport:
    pk = operation if isinstance(operation, int) else operation.pk
    return OperationReport.model_validate({"id": pk, "state": state, **fields})
