"""What the research is, and where it stands in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.dashboard.selectors.overview_researches import steps
from research.lifecycle.states import ENDED, STATE_OF, Kind, State, Status
from research.selectors.pace import pace_of
from research.selectors.standing import Code, standing

if TYPE_CHECKING:
    from datetime import datetime

    from research.dashboard.selectors.overview_researches import Step
    from research.dashboard.selectors.research_rows import Rows
    from research.models import Operation, Research
    from research.selectors.pace import Pace
    from research.selectors.standing import Standing


@dataclass(frozen=True, slots=True)
class Head:
    """`took_s`: seconds from the first start to the end, or to now. `follows`: see `Rows.follows`."""

    research: Research
    follows: str
    live: Operation | None
    pace: Pace | None
    steps: list[Step]
    stands: Standing
    lost: int
    took_s: float | None
    started_by: str
    cancellable: bool


def head(rows: Rows) -> Head:
    research, live = rows.research, rows.live
    over = research.state in ENDED
    running = live is not None and live.status == Status.RUNNING
    stands = standing(research, live, rows.situation)
    settled = over and stands.code != Code.CANCELLING
    return Head(
        research, rows.follows_closely if settled else f"{rows.follows_closely} pulse", live,
        pace_of(live, rows.now) if live is not None and running else None,
        steps(_phase(rows), rows.operations),
        stands,
        sum(one.reason in {"orphaned", "timed_out", "crashed"} for one in rows.operations),
        _took(research.started_at, research.ended_at or rows.now),
        research.created_by.get_username() if research.created_by else "",
        cancellable=not over,
    )  # fmt: skip


def _phase(rows: Rows) -> State:
    """Where it is; of one that failed or was cancelled, where it stopped."""
    research = rows.research
    if research.is_resumable and rows.operations:
        return STATE_OF[Kind(rows.operations[-1].kind)]
    return State(research.state)


def _took(started: datetime | None, end: datetime) -> float | None:
    return None if started is None else (end - started).total_seconds()
