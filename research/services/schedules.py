"""Researches begun by the clock: each turn once, whoever looks; a turn whose last research is not over is left out."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from research.lifecycle.states import ENDED
from research.models import Level, Schedule, Topic
from research.models.clock import DatabaseNow, database_now
from research.services import researches
from research.services.change import change
from research.services.errors import Invalid, NotFound, ServiceError
from workers.faults import point

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

SHORTEST_S, LONGEST_S = 60, 366 * 86400


def create(*, brief: str, every_s: int, asked: Mapping[str, Any], at: datetime | None = None, by: str = "") -> Schedule:
    """Start such a research every `every_s` seconds, the first at `at`, or now. Raises `Invalid`.

    `asked` is what `services.researches.create` takes beside brief and seed, checked as if it began now.
    """
    if not SHORTEST_S <= every_s <= LONGEST_S:
        raise Invalid(f"Every {every_s} s cannot be: give a time from one minute to a year, such as 6h.")
    researches.check(brief=brief, **asked)
    with change() as record:
        row = Schedule.objects.create(
            brief=brief.strip(), asked=dict(asked), every_s=every_s, next_at=at or database_now(), created_by=by
        )
        message = f"{by or 'Somebody'} had a research started every {_words(every_s)}: {row.brief}"
        record.event(Topic.OPERATOR, "schedule.created", message, user=by, schedule=row.pk)
    return row


def end(schedule_id: int, *, by: str = "") -> None:
    """Start no more of them; what was started goes on. Raises `NotFound`."""
    with change() as record:
        ended = Schedule.objects.filter(pk=schedule_id, ended_at=None).update(ended_at=DatabaseNow())
        if not ended:
            raise NotFound(f"There is no schedule {schedule_id} that goes on. `manage.py research schedule list`.")
        message = f"{by or 'Somebody'} ended schedule {schedule_id}."
        record.event(Topic.OPERATOR, "schedule.ended", message, user=by, schedule=schedule_id)


def begin_due() -> int:
    """Begin a research for every schedule whose turn has come; returns how many began. Harmless to call at once."""
    begun = 0
    while (found := _begin_one()) is not None:
        begun += found
    return begun


def _begin_one() -> int | None:
    """One turn, taken and moved on in one transaction; None when none is due."""
    with change() as record:
        due = Schedule.objects.select_for_update(skip_locked=True, of=("self",)).select_related("last")
        row = due.filter(ended_at=None, next_at__lte=DatabaseNow()).order_by("next_at").first()
        if row is None:
            return None
        problem = _begin(row)
        late = (database_now() - row.next_at).total_seconds()
        row.next_at += timedelta(seconds=row.every_s * (1 + math.floor(max(late, 0.0) / row.every_s)))
        row.problem = problem
        row.save(update_fields=["next_at", "problem", "started", "last"])
        if problem:
            message = f"Schedule {row.pk} began nothing: {problem}"
            record.event(Topic.SYSTEM, "schedule.skipped", message, level=Level.WARNING, schedule=row.pk)
    point("schedule.turned")
    return 0 if problem else 1


def _begin(row: Schedule) -> str:
    """Why nothing began; empty when a research did."""
    if row.last is not None and row.last.state not in ENDED:
        return f"its research {row.last.pk} is not over yet."
    try:
        row.last = researches.create(brief=row.brief, by=f"schedule {row.pk}", **row.asked)
    except ServiceError as refusal:
        return str(refusal)
    row.started += 1
    return ""


def _words(seconds: int) -> str:
    for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds % size == 0:
            return f"{seconds // size} {name}"
    return f"{seconds} s"
