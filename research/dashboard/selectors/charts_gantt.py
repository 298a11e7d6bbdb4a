"""The timeline of operations: who worked when, on an axis from which long idle stretches are cut out. Pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from research.dashboard.selectors.charts_path import percent
from research.dashboard.selectors.charts_time import elapsed, elapsed_step

if TYPE_CHECKING:
    from collections.abc import Sequence

CUT = 0.035  # width of a cut
LONGEST_IDLE = 0.3  # of all the time worked; what is idle for longer is cut out
LEAST_WIDTH = 0.004
ROOM = 0.42  # for what is written beside a bar, also on a small screen


@dataclass(frozen=True, slots=True)
class Job:
    """What one row shows. Moments are Unix seconds; `started` is None while it waits, `ended` None while it lives."""

    key: int
    queued: float
    started: float | None
    ended: float | None


@dataclass(frozen=True, slots=True)
class Bar:
    """SVG lengths: the waiting stretch, then the working one (empty width: there is none)."""

    key: int
    wait_at: str
    wait_width: str
    at: str
    width: str
    beside: str  # where what is written about it goes: "after" it, "before" it or "inside", ending at `beside_at`
    beside_at: str


@dataclass(frozen=True, slots=True)
class Cut:
    """An idle stretch that was cut out."""

    at: str
    width: str
    text: str


@dataclass(frozen=True, slots=True)
class AxisTick:
    at: str
    label: str
    edge: str


@dataclass(frozen=True, slots=True)
class Gantt:
    bars: list[Bar]
    cuts: list[Cut]
    ticks: list[AxisTick]


class Axis:
    """Places (0 to 1) of moments; `stretches` are those shown, in order, with a cut between any two."""

    def __init__(self, stretches: Sequence[tuple[float, float]]) -> None:
        self.stretches = list(stretches)
        shown = sum(end - start for start, end in self.stretches) or 1.0
        self.room = 1.0 - CUT * (len(self.stretches) - 1)
        self.per_second = self.room / shown
        self.places = []
        at = 0.0
        for start, end in self.stretches:
            self.places.append(at)
            at += (end - start) * self.per_second + CUT

    def at(self, moment: float) -> float:
        """A moment inside a cut lies at its beginning."""
        number = max(0, bisect_right([start for start, _ in self.stretches], moment) - 1)
        start, end = self.stretches[number]
        return self.places[number] + (min(max(moment, start), end) - start) * self.per_second


def axis_of(jobs: Sequence[Job], now: float) -> Axis:
    """An axis with room for every job; idle stretches longer than `LONGEST_IDLE` of the work are cut out."""
    busy = _merged(sorted((job.queued, max(job.queued, job.ended if job.ended is not None else now)) for job in jobs))
    worked = max(sum(end - start for start, end in busy), 1.0)
    stretches = [busy[0]]
    for start, end in busy[1:]:
        if start - stretches[-1][1] > LONGEST_IDLE * worked:
            stretches.append((start, end))
        else:
            stretches[-1] = (stretches[-1][0], end)
    return Axis(stretches)


def layout(jobs: Sequence[Job], now: float) -> Gantt:
    """Bars in the order of `jobs` (at least one)."""
    axis = axis_of(jobs, now)
    cuts = [
        Cut(percent(axis.places[number] - CUT), percent(CUT), elapsed(start - axis.stretches[number - 1][1]))
        for number, (start, _) in enumerate(axis.stretches) if number
    ]  # fmt: skip
    return Gantt([_bar(job, axis, now) for job in jobs], cuts, _ticks(axis))


def _merged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    merged = [spans[0]]
    for start, end in spans[1:]:
        if start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _bar(job: Job, axis: Axis, now: float) -> Bar:
    end = axis.at(max(job.queued, job.ended if job.ended is not None else now))
    queued, started = axis.at(job.queued), axis.at(job.started) if job.started is not None else end
    width = max(end - started, LEAST_WIDTH) if job.started is not None else 0.0
    at = min(started, 1.0 - width)
    beside, place = _beside(queued, at + width)
    return Bar(
        job.key, percent(queued), percent(max(at - queued, 0.0)), percent(at), percent(width), beside, percent(place)
    )


def _beside(begin: float, end: float) -> tuple[str, float]:
    """Where there is room: after the bar, before it, or else in it."""
    if end <= 1.0 - ROOM:
        return "after", end
    return ("before", begin) if begin >= ROOM else ("inside", end)


def _ticks(axis: Axis) -> list[AxisTick]:
    """Time since the first moment, on the longest stretch; the beginning is always named."""
    start, end = max(axis.stretches, key=lambda stretch: stretch[1] - stretch[0])
    step = elapsed_step(max(end - start, 0.1), 6)
    first = axis.stretches[0][0]
    ticks = [AxisTick("0%", "0 s", "first")]
    moment = start if start > first else start + step
    while moment <= end:
        at = axis.at(moment)
        if at > 0.05:
            ticks.append(AxisTick(percent(at), elapsed(moment - first), "last" if at > 0.96 else ""))
        moment += step
    return ticks
