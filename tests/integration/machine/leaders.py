"""Coordinators: real leaders with their sessions, terms and steps; some of them frozen and thawed much later."""

from __future__ import annotations

from uuid import uuid4

from research.coordinator import attention
from research.coordinator.admission import admit
from research.coordinator.apply import advance
from research.coordinator.leader import Leader, NotLeader
from research.models import Event, Research, Term
from research.models.clock import DatabaseNow
from research.runners.liveness import Amnesty
from research.services import silence, terms
from tests.integration.machine.clock import ends
from tests.integration.machine.dying import Died, dying


class Leaders:
    """The newest leads, or did until it died; those before it are thawed ones that do not know."""

    def __init__(self) -> None:
        self.all: list[Leader] = []

    def somebody_wants_to_lead(self, dies: int = 0) -> None:
        """Refused while one leads whose term runs; one whose term ended loses its session."""
        before = self.present
        leader = Leader(uuid4(), "a cluster")
        try:
            with dying(dies):
                leader.__enter__()
        except (NotLeader, Died):
            ends(leader.session)
            return
        if before is not None:
            ended = Term.objects.get(pk=before.term)
            assert ended.ended_at is not None
            assert ended.lease_expires_at <= ended.ended_at, "there is one leader"
        self.all.append(leader)

    @property
    def present(self) -> Leader | None:
        """The one that leads by right: its session lives and its term runs."""
        running = Term.objects.filter(ended_at=None, lease_expires_at__gt=DatabaseNow()).values_list("id", flat=True)
        return next((one for one in self.all if one.term in running and not one.session.closed), None)

    def renews(self, leader: Leader) -> None:
        leader.amnesty, leader.amnesty_reason = terms.renew(leader.term)

    def steps(self, leader: Leader, dies: int = 0) -> None:
        """One round of its loop. One whose term is over changes nothing, whatever it believes."""
        may = self._in_office(leader)
        before = Event.objects.count()
        try:
            with dying(dies):
                self._round(leader, judge=may)
        except Died:
            self.dies(leader)
        except terms.Deposed:
            assert not self._in_office(leader), "the one that leads is not deposed"
            self.dies(leader)
        assert may or Event.objects.count() == before, "a thawed leader changed something"

    @staticmethod
    def _in_office(leader: Leader) -> bool:
        return Term.objects.filter(pk=leader.term, ended_at=None, lease_expires_at__gt=DatabaseNow()).exists()

    def _round(self, leader: Leader, *, judge: bool) -> None:
        amnesty = Amnesty(leader.amnesty, leader.amnesty_reason)
        if judge:
            silence.watch()
        wanted = {*admit(leader.term), *attention.needing_attention(), *attention.lost_in_process()}
        for research in sorted({*wanted, *Research.objects.active().values_list("id", flat=True)}):
            advance(research, leader.term, amnesty)

    def dies(self, leader: Leader) -> None:
        """Its session ends with it; its term is not resigned."""
        ends(leader.session)
        self.all.remove(leader)

    def resigns(self, leader: Leader) -> None:
        terms.resign(leader.term)
        ends(leader.session)
        self.all.remove(leader)

    def all_die(self) -> None:
        for leader in list(self.all):
            self.dies(leader)
