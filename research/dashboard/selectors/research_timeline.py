"""Every operation in order: the timeline, what was lost or handed over in words, and the table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from research.dashboard.selectors.charts_gantt import Gantt, Job, layout
from research.dashboard.selectors.charts_time import elapsed
from research.dashboard.selectors.research_evidence import Fact, facts
from research.lifecycle.states import Kind, Reason, Status
from research.models import Event
from research.selectors.pace import UNITS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from research.dashboard.selectors.charts_gantt import Bar
    from research.dashboard.selectors.research_rows import Rows
    from research.models import Operation

MOST_BARS, MOST_ROWS = 40, 200
_ENDED = {
    Reason.ORPHANED: "was orphaned", Reason.INTERRUPTED: "was handed over", Reason.TIMED_OUT: "timed out",
    Reason.CRASHED: "crashed", Reason.ERROR: "failed", Reason.INVALID_INPUT: "was given what it cannot use",
    Reason.CANCELLED: "was cancelled",
}  # fmt: skip
_TONES = {Reason.INTERRUPTED: "warn", Reason.CANCELLED: "quiet"}
_WORDS = {
    Reason.ORPHANED: "orphaned", Reason.INTERRUPTED: "handed over", Reason.TIMED_OUT: "timed out",
    Reason.CRASHED: "crashed", Reason.ERROR: "error", Reason.INVALID_INPUT: "invalid input",
    Reason.CANCELLED: "cancelled",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One operation; `how` is its status or, of one that failed, why."""

    operation: Operation
    tone: str
    how: str
    who: str
    unit: str
    took: str
    resumed: str


@dataclass(frozen=True, slots=True)
class Span:
    """A row of the chart. `y` and others are pixels from the top."""

    row: Row
    bar: Bar
    y: int
    middle: int
    label: str


@dataclass(frozen=True, slots=True)
class Explained:
    """Why an operation ended before its work was done, and what became of the work."""

    operation: int
    tone: str
    text: str
    message: str
    after: str
    evidence: list[Fact]


@dataclass(frozen=True, slots=True)
class Timeline:
    """`earlier` operations are not in the chart, `unlisted` not in the table."""

    follows: str
    rows: list[Row]
    chart: Gantt | None
    spans: list[Span] = field(default_factory=list)
    height: int = 0
    text: str = ""
    earlier: int = 0
    unlisted: int = 0
    explained: list[Explained] = field(default_factory=list)
    began_at: datetime | None = None


ROW_PX, TOP_PX = 26, 4


def timeline(rows: Rows) -> Timeline:
    operations = rows.operations
    if not operations:
        return Timeline(rows.follows_closely, [], None)
    listed = {one.pk: _row(one, rows.now) for one in operations[-MOST_ROWS:]}
    drawn = operations[-MOST_BARS:]
    jobs = [_job(one) for one in drawn]
    chart = layout(jobs, rows.now.timestamp())
    spans = [
        Span(listed[bar.key], bar, TOP_PX + ROW_PX * at, TOP_PX + ROW_PX * at + 13, _label(listed[bar.key]))
        for at, bar in enumerate(chart.bars)
    ]
    return Timeline(
        rows.follows_closely, list(listed.values()), chart, spans, TOP_PX + ROW_PX * len(spans), _text(operations),
        len(operations) - len(drawn), len(operations) - len(listed), _explain(rows), drawn[0].queued_at,
    )  # fmt: skip


def _job(one: Operation) -> Job:
    started, ended = (moment.timestamp() if moment else None for moment in (one.started_at, one.ended_at))
    return Job(one.pk, one.queued_at.timestamp(), started, ended)


def _row(one: Operation, now: datetime) -> Row:
    reason = one.reason if one.status in {Status.FAILED, Status.CANCELLED} else ""
    end = one.ended_at or now
    took = elapsed(max(0.0, (end - one.started_at).total_seconds())) if one.started_at else ""
    resumed = "" if one.resumed_from_unit is None else f"{one.resumed_from_unit:,}"
    return Row(
        one, tone_of(one), _WORDS[Reason(reason)] if reason in _WORDS else one.get_status_display().lower(),
        who(one), units_of(one), took, resumed,
    )  # fmt: skip


def tone_of(one: Operation) -> str:
    if one.status == Status.FAILED:
        return _TONES.get(Reason(one.reason), "bad") if one.reason else "bad"
    return {Status.COMPLETED: "good", Status.RUNNING: "busy"}.get(Status(one.status), "quiet")


def who(one: Operation) -> str:
    """Its runner for people; empty for one that nobody took."""
    return f"worker {one.worker.name}" if one.worker else one.runner


def units_of(one: Operation) -> str:
    """`41 of 640 epochs`; empty where nothing was counted."""
    name = UNITS.get(Kind(one.kind), "steps")
    if one.units and one.status == Status.COMPLETED:
        return f"{one.units:,} {name}"
    if one.units:
        return f"{one.unit:,} of {one.units:,} {name}"
    return f"{one.unit:,} {name}" if one.unit else ""


def _label(row: Row) -> str:
    said = (row.took,) if row.operation.status == Status.COMPLETED else (row.how, row.took)
    return " · ".join(part for part in said if part)


def _text(operations: Sequence[Operation]) -> str:
    said = "; ".join(
        f"{one.get_kind_display()} (operation {one.pk}) {one.reason or one.status}" for one in operations[-MOST_BARS:]
    )
    return f"{len(operations)} operations in order: {said}."


def _explain(rows: Rows) -> list[Explained]:
    ended = [one for one in rows.operations if one.status == Status.FAILED][-MOST_BARS:]
    if not ended:
        return []
    events = Event.objects.filter(
        research_id=rows.research.pk, operation_id__in=[one.pk for one in ended], code__startswith="operation."
    )
    told = {(event.operation_id, event.code): event.data for event in events}
    heirs = {one.continues_id: one for one in rows.operations if one.continues_id}
    return [
        Explained(
            one.pk, tone_of(one), _ended(one), one.message, _after(heirs.get(one.pk), one, rows),
            facts(told.get((one.pk, f"operation.{one.reason}"), {})),
        )
        for one in ended
    ]  # fmt: skip


def _ended(one: Operation) -> str:
    on = f" on {who(one)}" if who(one) else ""
    at = f" at {units_of(one)}" if units_of(one) else ""
    how = _ENDED[Reason(one.reason)] if one.reason in _ENDED else "failed"
    return f"Operation {one.pk} ({one.get_kind_display().lower()}{on}) {how}{at}"


def _after(heir: Operation | None, one: Operation, rows: Rows) -> str:
    if heir is None:
        waits = rows.research.is_active and one.pk == rows.operations[-1].pk
        return "The next try is about to be queued." if waits else "Nothing continued it."
    unit = heir.resumed_from_unit
    where = "from its beginning" if unit is None else f"from unit {unit:,}"
    on = f" on {who(heir)}" if who(heir) else ""
    verb = "is queued to go on" if heir.status == Status.QUEUED else "began again" if unit is None else "continued"
    return f"Operation {heir.pk} {verb} {where}{on}."
