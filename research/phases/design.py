"""Design: a designer proposes a specification from the brief and the memory; it is checked and stored before use."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from research import designers
from research.lifecycle.states import Kind, State
from research.models import Trial
from research.phases.base import InProcess, Leaves
from research.services import datasets
from workers import strategy
from workers.faults import point
from workers.training.prepare import searchable

if TYPE_CHECKING:
    from research.models import Operation, Research
    from research.phases.base import Context
    from workers.market.bars import Bars

MEMORY_ROWS = 200


class Design(InProcess):
    kind = Kind.DESIGN

    def spec(self, research: Research) -> dict[str, Any]:
        return {"designer": research.designer, "brief": research.brief, "memory_seq": research.memory_seq,
                "overrides": research.overrides}  # fmt: skip

    def run(self, context: Context) -> dict[str, Any]:
        """The answer of the designer is a checkpoint: stored before it is used, and never bought again."""
        research = context.research
        if context.restore is not None:
            answer = json.loads(context.restore)
        else:
            context.progress(0, 2, "reading what was learned")
            answer = asdict(designers.get(research.designer).design(_brief(research)))
            point("design.designed")
            context.checkpoint(1, json.dumps(answer, sort_keys=True).encode())
        point("design.stored")
        context.progress(1, 2, "checking the specification")
        parsed = strategy.parse(strategy.with_overrides(answer["spec"], research.overrides))
        return {
            "spec": parsed.model_dump(mode="json", by_alias=True), "sha256": strategy.strategy_sha256(parsed),
            "lineage": _lineage(answer), "dropped": answer["dropped"],
        }  # fmt: skip

    def leave(self, research: Research, operation: Operation) -> Leaves:
        result = operation.result or {}
        name = result["spec"]["name"]
        message = f"Research {research.pk} goes on to training: the design is “{name}”."
        return Leaves(State.TRAINING, message, strategy=result["spec"], origin=research.designer,
                      lineage=result.get("lineage"))  # fmt: skip


def _brief(research: Research) -> designers.Brief:
    rows = Trial.objects.filter(id__lte=research.memory_seq, symbol=research.symbol, timeframe=research.timeframe)
    memory = tuple(
        designers.Memory(
            spec=row.spec,
            verdict=row.verdict,
            metrics=row.metrics,
            seq=row.pk,
            brief=row.brief,
            parent=row.lineage.get("parent"),
            change=row.lineage.get("change", ""),
        )
        for row in reversed(rows.order_by("-id")[:MEMORY_ROWS])
    )
    return designers.Brief(
        text=research.brief, symbol=research.symbol, timeframe=research.timeframe, seed=research.seed, memory=memory,
        bars=_searched(research) if memory else None,
    )  # fmt: skip


def _searched(research: Research) -> Bars:
    """The bars without the hold-out."""
    bars = datasets.read(research.dataset)
    if research.holdout_from is None:
        return bars.slice(0, searchable(len(bars)))
    return bars.slice(0, int(np.searchsorted(bars.time, int(research.holdout_from.timestamp()))))


def _lineage(answer: dict[str, Any]) -> dict[str, Any]:
    """The trial that was changed, the research it is of, and how; empty for a fresh design."""
    if answer["parent"] is None:
        return {}
    parent = Trial.objects.get(pk=answer["parent"])
    return {"parent": parent.pk, "research": parent.research_id, "change": answer["change"]}
