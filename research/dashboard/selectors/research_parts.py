"""The parts of the page of a research, in the order in which they stand; each can be fetched by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from research.dashboard.selectors.research_backtest import equity, folds
from research.dashboard.selectors.research_events import events
from research.dashboard.selectors.research_gates import gates
from research.dashboard.selectors.research_head import head
from research.dashboard.selectors.research_provenance import provenance
from research.dashboard.selectors.research_strategy import strategy
from research.dashboard.selectors.research_timeline import timeline
from research.dashboard.selectors.research_training import training
from research.dashboard.selectors.research_verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from research.dashboard.selectors.research_rows import Rows

PARTS: Final[dict[str, Callable[[Rows], Any]]] = {
    "head": head, "verdict": verdict, "timeline": timeline, "training": training, "equity": equity, "folds": folds,
    "gates": gates, "strategy": strategy, "provenance": provenance, "events": events,
}  # fmt: skip
