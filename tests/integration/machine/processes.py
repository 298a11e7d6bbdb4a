"""Processes of a cluster that run a design or an assessment, one step at a time, by the runner's own functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from research.lifecycle.states import Kind, Reason, Status
from research.models import Checkpoint, Cluster, Operation
from research.models.clock import DatabaseNow, database_now
from research.runners import inprocess
from research.runners.hold import Hold, Lost
from research.services import clusters
from research.services.errors import ServiceError, StaleOperation
from tests.integration.machine import clock
from tests.integration.machine.clock import ends, execute
from tests.integration.machine.dying import Died, dying
from tests.support.factories import SPEC
from workers import strategy
from workers.job import Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

DESIGNED = strategy.parse(dict(SPEC))
RESULTS: dict[str, dict[str, Any]] = {
    Kind.DESIGN: {"spec": DESIGNED.model_dump(mode="json", by_alias=True),
                  "sha256": strategy.strategy_sha256(DESIGNED)},
    Kind.ASSESSMENT: {"verdict": {"label": "reject", "why": [], "tests": []}, "metrics": {},
                      "sharpe_per_period": None},
}  # fmt: skip


class Process:
    """It is `gone` once it died or stopped. `renewed_at`: when it renewed its lease last."""

    def __init__(self, operation: int) -> None:
        self.operation, self.cluster = operation, uuid4()
        self.hold = Hold(operation, self.cluster)
        self.kind, self.context = "", None
        self.gone = self.cut = False
        self.renewed_at = clock.now()
        now = DatabaseNow()
        Cluster.objects.create(id=self.cluster, label="a cluster", started_at=now, stamped_at=now, noted_at=now)

    @property
    def row(self) -> Operation:
        return Operation.objects.get(pk=self.operation)

    @property
    def silence(self) -> float:
        return clock.now() - self.renewed_at

    @property
    def mine(self) -> bool:
        row = self.row
        return bool(row.status == Status.RUNNING and row.cluster == self.cluster)

    def answers(self, dies: int = 0) -> None:
        """The doorbell: lock, then claim. It is gone at once when there is nothing for it."""
        before = self.row
        if not self.hold.take():
            self.dies()
            return
        try:
            with dying(dies):
                self.kind = inprocess._claim(self.operation, self.cluster, "a cluster") or ""
        except Died:
            self.dies()
            return
        assert not self.kind or before.status == Status.QUEUED, f"{before} was claimed twice"
        if self.kind:
            assert self.mine
        else:
            self.dies()

    def dies(self) -> None:
        self.gone = True
        ends(self.hold._session)
        self.hold.release()

    def renews(self) -> None:
        """As its lease thread does; one that is past its deadline ends itself."""
        row = self.row
        if self.mine and row.deadline_at is not None and row.deadline_at < database_now():
            self.dies()
            return
        was_mine = self.mine
        while not self.hold._renew():
            assert self.cut, "the database is there"
        self.cut = False
        if self.hold._lost:
            assert not was_mine, "it was told that its own operation is not its own"
            self.dies()
        else:
            assert was_mine
            self.renewed_at = clock.now()

    def is_cut_off(self) -> None:
        """Its own session ends, as when PostgreSQL kills it or the network drops it."""
        assert self.hold._session is not None
        execute(f"SELECT pg_terminate_backend({self.hold._session.info.backend_pid}, 5000)")
        self.cut = True

    def works(self, dies: int = 0) -> bool:
        """Reads what it can go on from; a design buys its answer unless one is stored. True when it bought one."""
        bought = False
        stored = Checkpoint.objects.filter(operation__research_id=self.row.research_id, operation__kind=self.kind)

        def work() -> None:
            nonlocal bought
            operation = Operation.objects.select_related("research__strategy", "research__dataset").get(
                pk=self.operation
            )
            context = inprocess.Context(operation, self.cluster, self.hold)
            context.progress(0, 2, "begins")
            if self.kind == Kind.DESIGN and context.restore is None:
                assert not stored.filter(unusable="").exists(), "a stored answer is never bought again"
                bought = True
                context.checkpoint(1, b'{"answer": 42}')
            context.progress(1, 2, "goes on")

        self._tries(work, dies)
        return bought

    def ends(self, outcome: dict[str, Any] | None = None, dies: int = 0) -> None:
        """With its result, unless another outcome is given; when the answer of the commit is lost it ends as well."""
        said = outcome or {"result": RESULTS[self.kind]}

        def end() -> None:
            self.hold.confirm(0)
            inprocess._end(self.operation, said, self.cluster)

        self._tries(end, dies)
        self.dies()

    def is_asked_to_leave(self) -> None:
        """Its cluster must have left: it hands over."""
        clusters.drain(self.cluster, 0)
        self.renews()
        if self.gone:
            return
        with pytest.raises(Interrupted):
            self.hold.guard()
        self.ends({"reason": Reason.INTERRUPTED, "message": "Its cluster is leaving.", "trace": ""})

    def _tries(self, act: Callable[[], None], dies: int) -> None:
        """Whatever it does is refused as soon as the operation is no longer its own, and only then."""
        was_mine = self.mine
        if self.cut:
            self.renews()
        if self.gone:
            return
        try:
            with dying(dies):
                act()
        except Died:
            self.dies()
        except (Lost, StaleOperation, ServiceError) as refusal:
            self._is_refused(was_mine, refusal)

    def _is_refused(self, was_mine: bool, refusal: Exception) -> None:
        assert not was_mine, f"{self.row} is its own, and yet: {refusal}"
        self.dies()
