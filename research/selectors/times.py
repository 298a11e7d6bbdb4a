"""Times for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC with microseconds, as `2026-07-01T12:00:00.123456+00:00`."""
    return None if moment is None else moment.isoformat(timespec="microseconds")
