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
    from research.models import Research


@dataclass(slots=True)
class Facts:
    research: Research
    operations: list[Operation]
    restore: Restore | None

    @property
    def live(self) -> Operation | None:
        return next((one for one in self.operations if one.status in LIVE), None)

    def decide(self, amnesty: liveness.Amnesty) -> Step:
        """The next step, by the evidence as it is now."""
        units = best_units(self.research.pk)
        tries = [_as_try(one, units) for one in self.operations]
        return next_step(
            State(self.research.state), tries, liveness.look_at(self.live, amnesty), self.restore, database_now(),
            Limits(settings.ENV.max_orphans), self.research.counted_from,
        )  # fmt: skip


def gather(research: Research, *, lock: bool) -> Facts:
    """Read (and lock, in order) the operations of a research."""
    rows = Operation.objects.filter(research=research).select_related("worker").order_by("id")
    if lock:
        live = Operation.objects.select_for_update(of=("self",)).filter(research=research, status__in=LIVE)
        list(live.values_list("pk"))
    kind = PHASE_OF.get(State(research.state))
    return Facts(research, list(rows), newest_usable(research.pk, kind) if kind else None)


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
