"""Times for JSON, durations for sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with microseconds, as `2026-07-01T12:00:00.123456+00:00`."""
    return None if moment is None else moment.isoformat(timespec="microseconds")


def duration(seconds: float) -> str:
    """`5 s`, `3 min`, `2 h 10 min`, `4 d 3 h`; never negative."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"
