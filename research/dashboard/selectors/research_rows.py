"""The rows behind the page of a research, each read once and only when a part asks for it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from research.lifecycle.states import ENDED, LIVE, Kind, Status
from research.models import Operation, Research
from research.models.clock import database_now
from research.selectors.standing import Situation
from research.services.errors import NotFound

if TYPE_CHECKING:
    from datetime import datetime


class Rows:
    """Of one research. Raises `NotFound`."""

    def __init__(self, pk: int) -> None:
        found = Research.objects.select_related("strategy", "dataset", "created_by").filter(pk=pk).first()
        if found is None:
            raise NotFound(f"There is no research {pk}.")
        self.research = found

    @cached_property
    def now(self) -> datetime:
        return database_now()

    @cached_property
    def situation(self) -> Situation:
        return Situation()

    @cached_property
    def operations(self) -> list[Operation]:
        """In order, without their specifications and results."""
        rows = Operation.objects.filter(research=self.research).select_related("worker")
        return list(rows.defer("spec", "result").order_by("id"))

    @cached_property
    def live(self) -> Operation | None:
        return next((one for one in self.operations if one.status in LIVE), None)

    def completed(self, kind: Kind) -> Operation | None:
        """The operation whose result counts."""
        return next((one for one in self.operations if one.kind == kind and one.status == Status.COMPLETED), None)

    def result(self, kind: Kind) -> dict[str, Any]:
        """The accepted result of a phase; empty while there is none."""
        return self._results.get(kind, {})

    @cached_property
    def _results(self) -> dict[str, dict[str, Any]]:
        rows = Operation.objects.filter(research=self.research, status=Status.COMPLETED)
        return {kind: result or {} for kind, result in rows.values_list("kind", "result")}

    @property
    def follows(self) -> str:
        """The changes that a part of the page must hear of (`data-live`).

        While it is active: events, since every change of state has one. Not `research:ID`, which checkpoints push too,
        so that every part would be fetched every second.
        """
        return f"research:{self.research.pk}" if self.research.state in ENDED else "event"

    @property
    def follows_closely(self) -> str:
        """The same, and every step of the operation that lives."""
        return self.follows if self.live is None else f"{self.follows} operation:{self.live.pk}"

    @property
    def spec(self) -> dict[str, Any] | None:
        """The specification in force, designed or given; None before there is one."""
        if self.research.strategy is not None:
            return dict(self.research.strategy.spec)
        return self.research.given
