"""Times and durations in words; `static/ktrdr/clock.js` says the same in the browser."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from research.selectors.times import duration

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["absolute", "duration"]


def absolute(moment: datetime) -> str:
    """`2026-07-01 12:00:00 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
