"""The rows of one research as `next_step` needs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings

from research.lifecycle.states import LIVE, PHASE_OF, Kind, State, Status
from research.lifecycle.step import Limits, Restore, Step, Try, next_step
from research.models import Checkpoint, Operation
from research.models.clock import database_now
from research.runners import liveness
from research.services.operations import best_units

if TYPE_CHECKING:
    from datetime import datetime

    from research.models import Research


@dataclass(slots=True)
class Facts:
    """`units` and `restore` only where a phase may have to begin again: nothing else asks for them."""

    research: Research
    operations: list[Operation]
    restore: Restore | None
    units: dict[int, int]

    @property
    def live(self) -> Operation | None:
        return next((one for one in self.operations if one.status in LIVE), None)

    def moved_on(self) -> Facts:
        """The same rows, for the phase that the research has just come to."""
        return _facts(self.research, self.operations)

    def decide(self, amnesty: liveness.Amnesty, now: datetime | None = None) -> Step:
        """The next step, by the evidence as it is now. `now`: the database's time, where it was asked already."""
        tries = [_as_try(one, self.units) for one in self.operations]
        return next_step(
            State(self.research.state), tries, liveness.look_at(self.live, amnesty), self.restore,
            now or database_now(), Limits(settings.ENV.max_orphans), self.research.counted_from,
        )  # fmt: skip


def gather(research: Research, *, lock: bool) -> Facts:
    """Read (and lock, in order) the operations of a research."""
    rows = _operations(research)
    live = [one.pk for one in rows if one.status in LIVE]
    if lock and live:
        list(Operation.objects.select_for_update().filter(pk__in=live).values_list("pk"))
        rows = _operations(research)  # who renews a lease takes no lock of the research
    return _facts(research, rows)


def _operations(research: Research) -> list[Operation]:
    sql = "SELECT * FROM research_operation WHERE research_id = %s ORDER BY id"
    return list(Operation.objects.raw(sql, [research.pk]))


def _facts(research: Research, rows: list[Operation]) -> Facts:
    kind = PHASE_OF.get(State(research.state))
    if kind is None or not _begins_again(kind, rows):
        return Facts(research, rows, None, {})
    return Facts(research, rows, newest_usable(research.pk, kind), best_units(research.pk))


def _begins_again(kind: Kind, rows: list[Operation]) -> bool:
    """Whether the phase was tried, has no result and no try under way."""
    own = [one.status for one in rows if one.kind == kind]
    return bool(own) and Status.COMPLETED not in own and not any(one.status in LIVE for one in rows)


def newest_usable(research_id: int, kind: Kind) -> Restore | None:
    """The newest checkpoint of a phase that can be gone on from."""
    found = (
        Checkpoint.objects.filter(operation__research_id=research_id, operation__kind=kind)
        .filter(unusable="", pruned_at=None).order_by("-unit", "-id").first()
    )  # fmt: skip
    return Restore(found.pk, found.unit) if found else None


def _as_try(one: Operation, units: dict[int, int]) -> Try:
    return Try(
        id=one.pk, kind=Kind(one.kind), status=Status(one.status), reason=one.reason, message=one.message,
        attempt=one.attempt, reported=one.reported, best_unit=units.get(one.pk, -1),
        resumed_from_unit=-1 if one.resumed_from_unit is None else one.resumed_from_unit,
        ended_at=one.ended_at, rung_at=one.rung_at, not_before=one.not_before,
    )  # fmt: skip
