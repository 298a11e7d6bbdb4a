"""Which bars a calendar would expect: Monday to Friday, or every day where a symbol trades on weekends too.

Exchange holidays are not known: a gap counts only when more days are missing than a long holiday explains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from workers.market.bars import seconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DAY = 86400
LONGEST_HOLIDAY = 4  # weekdays: 11 to 14 September 2001


def missing_before(time: NDArray[np.int64], timeframe: str) -> NDArray[np.int64]:
    """Trading days (for `1w`: weeks) missing between each bar and the one before it, (n,); 0 for the first.

    `time` (n,) int64 Unix seconds UTC, ascending. Hours within a day are not looked at: sessions differ.
    """
    missing = np.zeros(len(time), dtype=np.int64)
    if len(time) < 2:
        return missing
    if timeframe == "1w":
        missing[1:] = np.diff(time) // seconds(timeframe) - 1
    else:
        days = (time // _DAY).astype("datetime64[D]")
        mask = [1] * 7 if trades_on_weekends(time) else [1, 1, 1, 1, 1, 0, 0]
        missing[1:] = np.busday_count(days[:-1] + 1, days[1:], weekmask=mask)
    return np.maximum(missing, 0)


def trades_on_weekends(time: NDArray[np.int64]) -> bool:
    """True when more than one bar in ten starts on a Saturday or Sunday (UTC): some futures open on Sunday evening."""
    weekday = (time // _DAY + 3) % 7  # 1 January 1970 was a Thursday
    return bool(len(time)) and float(np.mean(weekday >= 5)) > 0.1


def years(time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Calendar year (UTC) of each bar, (n,)."""
    result: NDArray[np.int64] = (time // _DAY).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    return result
