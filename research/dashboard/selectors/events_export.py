"""The events that fit as CSV or JSON lines of one array, in pieces: never more than a piece is in memory."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Final

from research.selectors.events import as_dict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from research.dashboard.selectors.events_wanted import Wanted

MOST, PIECE = 100_000, 1000
COLUMNS: Final = (
    "seq", "at", "topic", "code", "level", "message", "research", "operation", "worker", "user", "data",
)  # fmt: skip


def as_json(wanted: Wanted, most: int = MOST) -> Iterator[str]:
    """One array, an event a line."""
    before = "["
    for rows in _pieces(wanted, most):
        yield "".join(f"{before if not at else ','}\n{json.dumps(row)}" for at, row in enumerate(rows))
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def as_csv(wanted: Wanted, most: int = MOST) -> Iterator[str]:
    """With a header; `data` is JSON. No cell can be taken for a formula by a spreadsheet."""
    yield ",".join(COLUMNS) + "\r\n"
    for rows in _pieces(wanted, most):
        text = io.StringIO(newline="")
        csv.writer(text).writerows([_cell(row[name]) for name in COLUMNS] for row in rows)
        yield text.getvalue()


def _pieces(wanted: Wanted, most: int) -> Iterator[list[dict[str, Any]]]:
    left = most
    while left > 0:
        rows = [as_dict(event) for event in wanted.found()[: min(PIECE, left)]]
        if not rows:
            return
        yield rows
        left -= len(rows)
        wanted = wanted.below(rows[-1]["seq"])


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        return f"'{value}"
    return "" if value is None else value
