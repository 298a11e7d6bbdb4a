"""Bars from a CSV file: refused with line and reason when they cannot be used, never repaired."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from workers.market.bars import COLUMNS, PRICES, Bars, seconds
from workers.market.quality import FIRST, Finding, QualityReport, report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

HEADER = ("timestamp", *COLUMNS)
Row = tuple[int, list[float]]


@dataclass(frozen=True, slots=True)
class BadLine:
    """`line` as an editor counts: the header is line 1."""

    line: int
    reason: str


class BadData(ValueError):
    """A file that cannot be used. `problems`: the first 20 in the order of the file; `count`: all."""

    def __init__(self, problems: Sequence[BadLine]) -> None:
        super().__init__(list(problems))
        ordered = sorted(problems, key=lambda problem: problem.line)
        self.problems, self.count = ordered[:FIRST], len(ordered)

    def __str__(self) -> str:
        lines = [f"line {problem.line}: {problem.reason}" for problem in self.problems]
        if self.count > len(lines):
            lines.append(f"... and {self.count - len(lines)} more")
        return "\n".join(["The data cannot be used; correct the file and load it again.", *lines])


def read_csv(path: Path, symbol: str, timeframe: str) -> tuple[Bars, QualityReport]:
    """`parse_bytes` of a file. Raises `BadData` and `OSError`."""
    return parse_bytes(path.read_bytes(), symbol, timeframe)


def parse_bytes(content: bytes, symbol: str, timeframe: str) -> tuple[Bars, QualityReport]:
    """`parse_csv` of UTF-8. Raises `BadData`, also for what is no text."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadData([BadLine(1, f"is not UTF-8 text: {error.reason} at byte {error.start}")]) from error
    return parse_csv(text, symbol, timeframe)


def write_csv(bars: Bars) -> bytes:
    """The file that `parse_csv` reads as the same bars, bit for bit. Timestamps in ISO, UTC; dates for `1d`."""
    daily = bars.timeframe == "1d"
    times = np.datetime_as_string(bars.time.astype("datetime64[s]"), unit="D" if daily else "s").tolist()
    rows = zip(times, *(getattr(bars, name).tolist() for name in COLUMNS), strict=True)
    zone = "" if daily else "Z"
    lines = [f"{time}{zone},{','.join(map(repr, values))}" for time, *values in rows]
    return "\n".join([",".join(HEADER), *lines, ""]).encode()


def parse_csv(text: str, symbol: str, timeframe: str) -> tuple[Bars, QualityReport]:
    """Bars and what is odd about them, from columns `timestamp,open,high,low,close,volume` in any order.

    Timestamps: the bar's open as a date, an ISO time (UTC unless it has an offset) or whole Unix seconds; of `1d` bars
    midnight UTC. Raises `BadData` for: unreadable or missing values, NaN or infinity, a price that is not positive,
    negative volume, high below low, times that do not rise; `BadBars` for an unknown timeframe.
    """
    rows = csv.reader(io.StringIO(text, newline=""))
    positions, notes = _header(next(rows, []))
    lines: list[int] = []
    table: list[Row] = []
    problems: list[BadLine] = []
    for row in rows:
        if not row:
            continue
        try:
            table.append(_row(row, positions))
            lines.append(rows.line_num)
        except ValueError as error:
            problems.append(BadLine(rows.line_num, str(error)))
    if not table:
        raise BadData(problems or [BadLine(1, "there are no bars under the header")])
    return _checked(table, np.array(lines), problems, notes, symbol, timeframe)


def _header(row: list[str]) -> tuple[list[int], tuple[Finding, ...]]:
    names = [name.strip().lower() for name in row]
    missing = [name for name in HEADER if name not in names]
    if missing or len(set(names)) != len(names):
        what = f"has no column {', '.join(missing)}" if missing else "names a column twice"
        raise BadData([BadLine(1, f"the header {what}; it must be {','.join(HEADER)}")])
    extra = [name for name in names if name not in HEADER]
    text = f"columns not used: {', '.join(extra)}"
    notes = (Finding("columns", "note", len(extra), [1], text),) if extra else ()
    return [names.index(name) for name in HEADER], notes


def _row(row: list[str], positions: list[int]) -> Row:
    if len(row) <= max(positions):
        raise ValueError(f"has {len(row)} values, the header has more columns")
    cells = [row[position].strip() for position in positions]
    return _timestamp(cells[0]), [_number(name, cell) for name, cell in zip(COLUMNS, cells[1:], strict=True)]


def _timestamp(text: str) -> int:
    try:
        if text.isdecimal() and len(text) > 8:
            return int(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"timestamp {text!r} is no date, ISO time or Unix seconds") from None
    if moment.microsecond:
        raise ValueError(f"timestamp {text!r} has fractions of a second")
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} {text!r} is no number" if text else f"{name} is missing") from None


def _checked(
    table: list[Row],
    lines: NDArray[np.int64],
    problems: list[BadLine],
    notes: tuple[Finding, ...],
    symbol: str,
    timeframe: str,
) -> tuple[Bars, QualityReport]:
    values = np.array([numbers for _, numbers in table], dtype=np.float64)
    columns = {name: values[:, position] for position, name in enumerate(COLUMNS)}
    bars = Bars(symbol, timeframe, np.array([time for time, _ in table], dtype=np.int64), **columns)
    for places, reason in _unusable(bars):
        problems += [BadLine(int(line), reason) for line in lines[places]]
    if problems:
        raise BadData(problems)
    return bars, report(bars, lines, notes)


def _unusable(bars: Bars) -> Iterator[tuple[NDArray[np.bool_], str]]:
    step = np.diff(bars.time, prepend=bars.time[0] - 1)
    yield step == 0, "has the timestamp of the line before"
    yield step < 0, "is earlier than the line before; sort by timestamp"
    if seconds(bars.timeframe) == 86400:
        yield bars.time % 86400 != 0, "is not at midnight UTC, as the timestamp of a daily bar must be: write its date"
    for name in COLUMNS:
        column = getattr(bars, name)
        yield ~np.isfinite(column), f"{name} is not finite"
        if name in PRICES:
            yield column <= 0, f"{name} is not positive"
    yield bars.volume < 0, "volume is negative"
    yield bars.high < bars.low, "high is below low"
