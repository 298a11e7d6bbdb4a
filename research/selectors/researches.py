"""A research as JSON: one shape for commands, API and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Prefetch

from research.lifecycle.states import LIVE, Kind, Status
from research.models import Operation, Research
from research.selectors import events
from research.selectors.standing import Situation, standing
from research.selectors.times import iso
from research.services.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

METRICS = ("sharpe", "cagr", "max_drawdown", "trades", "exposure", "turnover", "psr", "dsr")
HASHES = {"model_sha256": Kind.TRAINING, "trades_sha256": Kind.BACKTEST, "equity_sha256": Kind.BACKTEST}
MOST = 1000


def get(research_id: int) -> Research:
    """With its strategy, dataset and operations. Raises `NotFound`."""
    rows = _with(Operation.objects.select_related("worker", "research"))
    found = rows.select_related("strategy", "dataset", "created_by").filter(pk=research_id).first()
    if found is None:
        raise NotFound(f"There is no research {research_id}. `manage.py research list` shows those there are.")
    return found


def newest(*, limit: int = 100, states: Iterable[str] = (), before: int | None = None) -> list[Research]:
    """The newest researches first, only their live operations fetched; `before` is the id to go on below."""
    found = _with(Operation.objects.live().select_related("research")).select_related("strategy").order_by("-id")
    if wanted := list(states):
        found = found.filter(state__in=wanted)
    if before is not None:
        found = found.filter(pk__lt=before)
    return list(found[: max(1, min(limit, MOST))])


def summaries_of(ids: Iterable[int], situation: Situation) -> list[dict[str, Any]]:
    """The summaries of these researches, in order of id."""
    found = _with(Operation.objects.live().select_related("research")).select_related("strategy")
    return [summary(row, situation) for row in found.filter(pk__in=list(ids)).order_by("id")]


def _with(operations: QuerySet[Operation]) -> QuerySet[Research]:
    return Research.objects.prefetch_related(Prefetch("operations", queryset=operations.order_by("id")))


def summary(research: Research, situation: Situation | None = None) -> dict[str, Any]:
    """JSON-ready, one line's worth. Give one `situation` for a whole list."""
    operations = list(research.operations.all())
    live = next((one for one in operations if one.status in LIVE), None)
    stands = standing(research, live, situation or Situation())
    return {
        "id": research.pk, "brief": research.brief, "state": research.state, "reason": research.reason,
        "message": research.message, "waiting_for": stands.waits, "standing": stands.as_dict(),
        "symbol": research.symbol, "timeframe": research.timeframe, "designer": research.designer,
        "seed": research.seed, "priority": research.priority,
        "strategy": research.strategy.name if research.strategy else None,
        "verdict": (research.verdict or {}).get("label"),
        "progress": None if live is None else progress(live),
        "created_at": iso(research.created_at), "started_at": iso(research.started_at),
        "ended_at": iso(research.ended_at),
    }  # fmt: skip


def detail(research: Research) -> dict[str, Any]:
    """JSON-ready, everything. `metrics` has every measure, None where there is none yet."""
    operations = list(research.operations.all())
    strategy, dataset = research.strategy, research.dataset
    return summary(research) | {
        "memory_seq": research.memory_seq, "lineage": research.lineage, "reproduces": research.reproduces_id,
        "holdout_of": research.holdout_of_id, "holdout_opening": research.holdout_opening,
        "overrides": research.overrides,
        "created_by": research.created_by.get_username() if research.created_by else None,
        "strategy": strategy and {key: getattr(strategy, key) for key in ("name", "sha256", "origin", "spec")},
        "dataset": {"id": dataset.pk, "sha256": dataset.sha256, "bars": dataset.bars, "source": dataset.source},
        "gates": research.gates,
        "verdict": research.verdict,
        "metrics": dict.fromkeys(METRICS) | (research.metrics or {}),
        **{name: _hash(operations, kind, name) for name, kind in HASHES.items()},
        "operations": [operation_dict(one) for one in operations],
        "events": [events.as_dict(event) for event in events.of_research(research.pk)],
    }  # fmt: skip


def progress(operation: Operation) -> dict[str, Any]:
    """JSON-ready: where a live operation stands; `fraction` is 0 to 1."""
    return {
        "operation": operation.pk, "kind": operation.kind, "status": operation.status, "unit": operation.unit,
        "units": operation.units, "fraction": operation.fraction, "message": operation.progress_message,
    }  # fmt: skip


def operation_dict(operation: Operation) -> dict[str, Any]:
    """JSON-ready; `runner` is a label for people, `worker` the name of an external one."""
    return {
        "id": operation.pk, "kind": operation.kind, "status": operation.status, "reason": operation.reason,
        "message": operation.message, "runner": operation.runner,
        "worker": operation.worker.name if operation.worker else None, "attempt": operation.attempt,
        "continues": operation.continues_id, "resumed_from_unit": operation.resumed_from_unit,
        "unit": operation.unit, "units": operation.units, "fraction": operation.fraction,
        "queued_at": iso(operation.queued_at), "started_at": iso(operation.started_at),
        "ended_at": iso(operation.ended_at),
    }  # fmt: skip


def _hash(operations: list[Operation], kind: Kind, name: str) -> str | None:
    done = next((one for one in operations if one.kind == kind and one.status == Status.COMPLETED), None)
    return None if done is None else (done.result or {}).get(name)
