"""Row locks in the one order everybody takes them: research, then operation, then worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from research.models import Operation, Research
from research.services.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable


def research(pk: int) -> Research:
    """Lock one research, waiting for whoever has it. Raises `NotFound`."""
    found = Research.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if found is None:
        raise NotFound(f"There is no research {pk}. `manage.py research list` shows those there are.")
    return found


def research_or_none(pk: int) -> Research | None:
    """Lock one research unless somebody else holds it: then that one acts, and we look again later."""
    # By hand: this and the operations of a research are most of what a turn asks, and building them took longer.
    rows = Research.objects.raw("SELECT * FROM research_research WHERE id = %s FOR UPDATE SKIP LOCKED", [pk])
    return next(iter(rows), None)


def operations(ids: Iterable[int]) -> dict[int, Operation]:
    """Lock the researches of these operations, then the operations, both in order of id. Unknown ids are left out."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    parents = Operation.objects.filter(pk__in=wanted).values("research_id")
    list(Research.objects.select_for_update(of=("self",)).filter(pk__in=parents).order_by("pk").values_list("pk"))
    locked = Operation.objects.select_for_update(of=("self",)).filter(pk__in=wanted).order_by("pk")
    return {operation.pk: operation for operation in locked}
