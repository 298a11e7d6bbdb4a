"""How good a trial was."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from research.designers.base import Memory


def merit(trial: Memory) -> tuple[float, float]:
    """Deflated Sharpe ratio, then Sharpe ratio; numbers that are missing or not finite are the worst."""
    values = (trial.metrics.get(name) for name in ("dsr", "sharpe"))
    first, second = (float(v) if isinstance(v, (int, float)) and math.isfinite(v) else -math.inf for v in values)
    return first, second
