"""When to strike next: as soon as what the last strike broke goes on again, so that every strike finds work to hit."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.acceptance.recovery.cast import query

if TYPE_CHECKING:
    from tests.chaos.orders import Order
    from tests.chaos.plan import Plan
    from tests.support.stack import Stack

_STANDING: Final = """
SELECT (SELECT count(*) FROM research_research WHERE state <> 'completed'),
       (SELECT count(*) FROM research_research), count(*) FILTER (WHERE status = 'running'),
       ARRAY[count(*), count(*) FILTER (WHERE status IN ('queued', 'running')),
             count(*) FILTER (WHERE status = 'completed'), coalesce(sum(unit), 0)],
       (SELECT count(*) FROM research_research WHERE state = 'failed')
FROM research_operation"""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far everything is; `progress` differs whenever anything went on or was ended."""

    left: int
    researches: int
    running: int
    progress: Any
    failed: int


def standing(stack: Stack) -> Standing | None:
    """None while the database is away."""
    rows = query(stack, _STANDING)
    return Standing(*rows[0]) if rows else None


class Pace:
    """`ready()` often; `struck()` after each strike."""

    def __init__(self, plan: Plan) -> None:
        self.patience = plan.patience
        self._struck = time.monotonic()
        self._seen: Any = None

    def due(self, order: Order) -> bool:
        return time.monotonic() - self._struck >= order.pause

    def ready(self, order: Order, now: Standing | None) -> bool:
        """Something runs and has moved since the last strike; or the order, or patience, does not wait for that."""
        if not order.patient or time.monotonic() - self._struck > order.pause + self.patience:
            return True
        return now is not None and now.running > 0 and now.progress != self._seen

    def struck(self, now: Standing | None) -> None:
        self._struck = time.monotonic()
        self._seen = now.progress if now is not None else self._seen
