"""What was seen so far: nothing finished changes, nothing is concluded without cause, nothing counts twice."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django.conf import settings

from research.lifecycle.states import EXTERNAL, FINISHED, Kind, Reason, State, Status
from research.models import Event, Operation, Research, Trial, Worker
from research.selectors import invariants
from tests.integration.machine import clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.integration.machine.agents import Agent
    from tests.integration.machine.processes import Process

Row = dict[str, Any]


class Ledger:
    """`cancelled`: researches an operator cancelled and nobody resumed. `broken`: operations whose work raised."""

    def __init__(self) -> None:
        self.finished: dict[int, Row] = {}
        self.cancelled: set[int] = set()
        self.broken: set[int] = set()
        self.drained: set[str] = set()
        self.covered_at = clock.now() - 3600  # since when a web process has heard workers without a gap
        self.sessions: dict[int, int] = {}  # the session that counts, of each worker
        self._seen = 0

    def look(self, agents: Sequence[Agent], processes: Sequence[Process]) -> None:
        """After every event that wrote anything."""
        written = clock.written()
        if written == self._seen:
            return
        self._seen = written
        report = invariants.check()
        assert report.clean, report.breaches
        rows = {row["id"]: row for row in Operation.objects.values()}
        for pk, row in rows.items():
            known = self.finished.get(pk)
            if known is not None:
                assert row == known, f"operation {pk} was finished and changed"
            elif row["status"] in FINISHED:
                self.finished[pk] = row
                self._has_a_cause(row, agents, processes)
        for pk, session in Worker.objects.exclude(session=None).values_list("id", "session"):
            assert session >= self.sessions.get(pk, 0), "an older start of a worker took its name back"
            self.sessions[pk] = session
        for pk, state, reason in Research.objects.values_list("id", "state", "reason"):
            assert (state == State.CANCELLED) == (pk in self.cancelled), f"research {pk} is {state}"
            if state == State.FAILED:
                self._may_fail(pk, reason)

    def _has_a_cause(self, row: Row, agents: Sequence[Agent], processes: Sequence[Process]) -> None:
        if row["status"] == Status.CANCELLED:
            assert row["research_id"] in self.cancelled
        elif row["reason"] == Reason.ERROR:
            assert row["id"] in self.broken, row["message"]
        elif row["reason"] == Reason.ORPHANED and row["kind"] in EXTERNAL:
            self._silent_or_replaced(row, agents)
        elif row["reason"] == Reason.ORPHANED:
            own = next((one for one in processes if one.cluster == row["cluster"]), None)
            lost = own is None or own.gone or own.cut or own.silence >= settings.ENV.phase_lease
            assert lost, f"orphaned although its process lives: {row}"
        elif row["reason"] == Reason.INTERRUPTED and row["kind"] in EXTERNAL:
            name = Worker.objects.get(pk=row["worker_id"]).name
            assert name in self.drained, f"nobody asked worker {name} to leave"

    def _silent_or_replaced(self, row: Row, agents: Sequence[Agent]) -> None:
        present = Worker.objects.get(pk=row["worker_id"]).incarnation
        if present != row["incarnation"]:
            newer = next(one for one in agents if one.caller.incarnation == present)
            assert newer.caller.session is not None, "orphaned by a call of a process that never heard its session"
            return
        own = next(one for one in agents if one.caller.incarnation == row["incarnation"])
        assert min(own.silence, clock.now() - self.covered_at) >= settings.ENV.lease, (
            f"orphaned although it was heard: {row}"
        )

    def _may_fail(self, research: int, reason: str) -> None:
        tried = Operation.objects.filter(research_id=research)
        if reason == Reason.GAVE_UP:
            lost = Counter(tried.filter(status=Status.FAILED).values_list("kind", flat=True))
            assert max(lost.values()) >= settings.ENV.max_orphans
        else:
            assert reason == Reason.ERROR
            assert tried.filter(pk__in=self.broken).exists(), "it failed although nothing raised"

    def settle(self) -> None:
        """At the end: everything is complete, once, and the record says so."""
        assert invariants.check(deep=True).clean
        for research in Research.objects.all():
            assert research.state == State.COMPLETED, (research.state, research.message)
            own = Operation.objects.filter(research=research)
            done = Counter(own.filter(status=Status.COMPLETED).values_list("kind", flat=True))
            wanted = {Kind.TRAINING, Kind.BACKTEST, Kind.ASSESSMENT} | (set() if research.given else {Kind.DESIGN})
            assert done == dict.fromkeys(wanted, 1)
            assert Trial.objects.filter(research_id=research.pk).count() == 1
            codes = Counter(Event.objects.filter(research_id=research.pk).values_list("code", flat=True))
            assert codes["research.completed"] == 1
            assert codes["operation.completed"] == len(wanted)
            assert codes["operation.started"] == own.exclude(started_at=None).count()
            assert codes["operation.queued"] + codes["operation.restarted"] == own.count()
            assert codes["gate.passed"] + codes["gate.failed"] == 2
