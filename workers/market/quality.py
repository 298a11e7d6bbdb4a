"""What is odd about bars that can be used. Nothing here changes a number."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from workers.market import calendar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from workers.market.bars import Bars

FIRST = 20
STALE_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Finding:
    """`count` places of one kind; `lines` are the first of them, as line numbers of the file (the header is line 1)."""

    code: str
    severity: Literal["warning", "note"]
    count: int
    lines: list[int]
    message: str


@dataclass(frozen=True)
class QualityReport:
    """`stale_opens`: per year, the share of opens that merely repeat the close before (0 to 1)."""

    bars: int
    first: int
    last: int
    findings: list[Finding]
    stale_opens: dict[int, float]

    @property
    def clean(self) -> bool:
        return not any(finding.severity == "warning" for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; `first` and `last` are Unix seconds UTC, the years of `stale_opens` are texts."""
        return asdict(self) | {"stale_opens": {str(year): share for year, share in self.stale_opens.items()}}

    def __str__(self) -> str:
        words = [f"{finding.severity}: {finding.message}{_where(finding)}" for finding in self.findings]
        return "\n".join([f"{self.bars} bars", *(words or ["nothing odd"])])


def report(bars: Bars, lines: NDArray[np.int64], notes: tuple[Finding, ...] = ()) -> QualityReport:
    """Findings of usable bars; `lines` (n,) are their line numbers."""
    stale = stale_opens(bars)
    findings = [*notes, *_gaps(bars, lines), *_prices(bars, lines), *_volume(bars, lines), *_stale(bars, lines, stale)]
    return QualityReport(len(bars), int(bars.time[0]), int(bars.time[-1]), findings, stale)


def stale_opens(bars: Bars) -> dict[int, float]:
    """Per calendar year (UTC): the share of opens equal to the close before."""
    years = calendar.years(bars.time[1:])
    repeated = bars.open[1:] == bars.close[:-1]
    return {int(year): float(repeated[years == year].mean()) for year in np.unique(years)}


def _gaps(bars: Bars, lines: NDArray[np.int64]) -> Iterator[Finding]:
    missing = calendar.missing_before(bars.time, bars.timeframe)
    allowed = 0 if bars.timeframe == "1w" or calendar.trades_on_weekends(bars.time) else calendar.LONGEST_HOLIDAY
    unit = "weeks" if bars.timeframe == "1w" else "trading days"
    text = f"gaps of more than {allowed} missing {unit}: {{count}}, the longest of {int(missing.max())}"
    yield from _finding("gap", "warning", missing > allowed, lines, text)


def _prices(bars: Bars, lines: NDArray[np.int64]) -> Iterator[Finding]:
    outside = (np.maximum(bars.open, bars.close) > bars.high) | (np.minimum(bars.open, bars.close) < bars.low)
    yield from _finding(
        "ohlc", "warning", outside, lines, "bars that open or close outside their low and high: {count}"
    )
    flat = bars.high == bars.low
    yield from _finding("flat", "note", flat, lines, "bars with one price only: {count}")


def _volume(bars: Bars, lines: NDArray[np.int64]) -> Iterator[Finding]:
    yield from _finding("zero_volume", "warning", bars.volume == 0, lines, "bars without volume: {count}")


def _stale(bars: Bars, lines: NDArray[np.int64], shares: dict[int, float]) -> Iterator[Finding]:
    years = [year for year, share in shares.items() if share > STALE_SHARE]
    repeated = np.zeros(len(bars), dtype=bool)
    repeated[1:] = (bars.open[1:] == bars.close[:-1]) & np.isin(calendar.years(bars.time[1:]), years)
    which = ", ".join(f"{year} ({shares[year]:.0%})" for year in years)
    text = f"opens that repeat the close before: {{count}}, in {which}; do not believe fills at the next open there"
    yield from _finding("stale_open", "warning", repeated, lines, text)


def _finding(
    code: str, severity: Literal["warning", "note"], places: NDArray[np.bool_], lines: NDArray[np.int64], text: str
) -> Iterator[Finding]:
    count = int(places.sum())
    if count:
        first = [int(line) for line in lines[places][:FIRST]]
        yield Finding(code, severity, count, first, text.format(count=count))


def _where(finding: Finding) -> str:
    if not finding.lines:
        return ""
    more = ", ..." if finding.count > len(finding.lines) else ""
    return f" (lines {', '.join(map(str, finding.lines))}{more})"
