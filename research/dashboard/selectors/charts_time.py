"""Round moments and durations for the axes of charts. Moments are Unix seconds, UTC. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

_DAY = 86400
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240)
_STEPS = (
    0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 43200, _DAY,
    2 * _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY, 90 * _DAY, 365 * _DAY,
)  # fmt: skip


def date_of(moment: float) -> str:
    """`2001-03-09`."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}"


def calendar_ticks(first: float, last: float, most: int = 8) -> list[tuple[float, str]]:
    """Starts of years or months between two moments, at most `most`; of shorter stretches the days or hours."""
    if last - first < 45 * _DAY:
        return _clock_ticks(first, last, most)
    start, end = (datetime.fromtimestamp(moment, UTC) for moment in (first, last))
    span = (end.year - start.year) * 12 + end.month - start.month
    step = next((months for months in _MONTHS if span / months <= most), 480)
    month = start.year * 12 + start.month - 1
    month += -month % step
    ticks: list[tuple[float, str]] = []
    while (at := datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)) <= end:
        if at >= start:
            ticks.append((at.timestamp(), f"{at:%Y}" if step % 12 == 0 else f"{at:%b %Y}"))
        month += step
    return ticks[:most]


def _clock_ticks(first: float, last: float, most: int) -> list[tuple[float, str]]:
    step = elapsed_step(last - first, most)
    form = "%-d %b" if step >= _DAY else "%-d %b %H:%M"
    at = first - first % step + (step if first % step else 0)
    ticks: list[tuple[float, str]] = []
    while at <= last and len(ticks) < most:
        ticks.append((at, f"{datetime.fromtimestamp(at, UTC):{form}}"))
        at += step
    return ticks


def elapsed_step(seconds: float, most: int) -> float:
    """A round duration that fits at most `most` times into `seconds`."""
    return next((step for step in _STEPS if seconds / step <= most), _STEPS[-1])


def elapsed(seconds: float) -> str:
    """`0.2 s`, `45 s`, `3 min`, `1 h 30 min`, `2 d 4 h`: exact for round durations, two parts at most."""
    if seconds < 10 and round(seconds, 1) != int(seconds):
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, small, part in ((_DAY, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // small
            return f"{whole // size} {unit}" + (f" {rest} {part}" if rest else "")
    return f"{whole} s"
