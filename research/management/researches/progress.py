"""How far it is: one line that is redrawn on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import re
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from research.lifecycle.states import ENDED
from research.management.terminal import cut, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from research.management.terminal import Out

PLAIN_EVERY_S = 5.0
BAR: Final = 24
_UNITS: Final = {"training": "epochs", "backtest": "bars", "design": "steps", "assessment": "steps"}
_WINDOW_S = 3.0


class Rate:
    """Units per second of one operation over the last seconds."""

    def __init__(self) -> None:
        self._operation = 0
        self._points: deque[tuple[float, int]] = deque()

    def see(self, operation: int, unit: int) -> float | None:
        """None while too little is known."""
        if operation != self._operation:
            self._operation = operation
            self._points.clear()
        now = time.monotonic()
        self._points.append((now, unit))
        while now - self._points[0][0] > _WINDOW_S:
            self._points.popleft()
        (began, first), passed = self._points[0], now - self._points[0][0]
        return (unit - first) / passed if passed > 0.5 and unit > first and began else None


class Progress:
    """Shows summaries of researches (`selectors.researches.summary`) and, between them, what happens."""

    def __init__(self, out: Out) -> None:
        self.out = out
        self._rate = Rate()
        self._live = ""
        self._plain: tuple[Any, ...] = ()
        self._plain_at = 0.0

    def say(self, text: str, tone: str = "", at: datetime | None = None) -> None:
        self.clear()
        stamp = f"{at:%H:%M:%S}" if at else time.strftime("%H:%M:%S", time.gmtime())
        self.out.line(f"{self.out.tint(stamp, 'quiet')}  {self.out.tint(text, tone)}")
        self.out.stream.flush()

    def clear(self) -> None:
        """Take the live line away, so that something else can stand there."""
        if self._live:
            self.out.redraw("")
        self._live = ""

    def show(self, rows: Sequence[Mapping[str, Any]], hindrance: str = "") -> None:
        """`hindrance` stands before whatever a single research waits for."""
        line = self._one(rows[0], hindrance) if len(rows) == 1 else _many(rows, hindrance)
        if self.out.tty:
            line = cut(line, self.out.width - 1)
            if line != self._live:
                self.out.redraw(self.out.tint(line, "busy"))
            self._live = line
        elif line:
            self._now_and_then(rows, line, hindrance)

    def _now_and_then(self, rows: Sequence[Mapping[str, Any]], line: str, hindrance: str) -> None:
        """At first, when something else is waited for, and every few seconds while it goes on."""
        what = (*((row["state"], re.sub(r"[0-9.]+", "", row["waiting_for"])) for row in rows), hindrance)
        moving = any(row["progress"] is not None and row["progress"]["unit"] for row in rows)
        due = moving and time.monotonic() - self._plain_at >= PLAIN_EVERY_S
        waits = bool(hindrance) or any(row["waiting_for"] for row in rows)
        if due or (what != self._plain and (waits or not self._plain)):
            self.say(line)
            self._plain_at = time.monotonic()
        self._plain = what

    def _one(self, row: Mapping[str, Any], hindrance: str) -> str:
        waits, progress = hindrance or row["waiting_for"], row["progress"]
        if row["state"] in ENDED:
            return ""
        if waits or progress is None:
            return f"{row['state']:<11}  {waits or '…'}"
        fraction = min(1.0, progress["fraction"])
        rate = self._rate.see(progress["operation"], progress["unit"])
        parts = [f"{row['state']:<11}", _bar(fraction) if self.out.tty else "", f"{percent(fraction):>7}"]
        if progress["units"]:
            parts.append(f"{progress['unit']}/{progress['units']} {_UNITS.get(progress['kind'], 'units')}")
        parts += [f"{rate:.0f}/s" if rate else "", progress["message"]]
        return "  ".join(part for part in parts if part)


def _bar(fraction: float) -> str:
    full = round(fraction * BAR)
    return "█" * full + "░" * (BAR - full)


def _many(rows: Sequence[Mapping[str, Any]], hindrance: str) -> str:
    over = [row for row in rows if row["state"] in ENDED]
    if len(over) == len(rows):
        return ""
    active = [
        f"{row['id']} {row['state']} {percent(row['progress']['fraction'])}"
        for row in rows
        if row["progress"] is not None
    ]
    return f"{len(over)} of {len(rows)} done; {hindrance or ', '.join(active) or 'the others wait'}"
