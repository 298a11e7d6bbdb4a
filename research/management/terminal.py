"""What commands print: aligned, in colour only on a terminal, or as JSON for programs."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

_CODES: Final = {"good": "32", "warn": "33", "bad": "31", "busy": "36", "quiet": "2", "strong": "1"}
_WIDTH_ELSEWHERE = 160


class Out:
    """Where a command reports to."""

    def __init__(self, stream: TextIO, *, colour: bool | None = None) -> None:
        self.stream = stream
        self.tty = bool(stream.isatty())
        self.colour = self.tty if colour is None else colour and self.tty
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character shows a question mark

    @property
    def width(self) -> int:
        """Columns of the terminal; generous where there is none."""
        return shutil.get_terminal_size((100, 24)).columns if self.tty else _WIDTH_ELSEWHERE

    def line(self, text: str = "") -> None:
        self.stream.write(f"{text}\n")

    def redraw(self, text: str) -> None:
        """Replace the line the cursor is in; only on a terminal."""
        self.stream.write(f"\r\x1b[K{text}")
        self.stream.flush()

    def json(self, value: Any) -> None:
        self.line(json.dumps(value, indent=2, ensure_ascii=False, default=str))

    def tint(self, text: str, tone: str) -> str:
        """The text in the colour of a tone of `lifecycle.states.TONE`; plain where nobody looks."""
        code = _CODES.get(tone, "")
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and code and text.strip() else text

    def pairs(self, rows: Sequence[tuple[str, Any]]) -> None:
        """One fact a line, the names aligned; empty ones are left out."""
        shown = [(name, str(value)) for name, value in rows if value is not None and value != ""]
        wide = max((len(name) for name, _ in shown), default=0)
        for name, value in shown:
            self.line(f"{self.tint(f'{name:<{wide}}', 'quiet')}  {value}")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[Any]], tones: Sequence[str] = ()) -> None:
        """Columns as wide as needed; the last is cut to the terminal. `tones`: one a row, for its second column."""
        texts = [["" if cell is None else " ".join(str(cell).split()) for cell in row] for row in rows]
        wide = [max(len(line[place]) for line in (list(header), *texts)) for place in range(len(header))]
        self.line(self.tint(self._row(list(header), wide, ""), "quiet"))
        for number, row in enumerate(texts):
            self.line(self._row(row, wide, tones[number] if tones else ""))

    def _row(self, cells: list[str], wide: list[int], tone: str) -> str:
        room = max(20, self.width - sum(wide[:-1]) - 2 * (len(wide) - 1))
        padded = [f"{cell:<{size}}" for cell, size in zip(cells[:-1], wide[:-1], strict=True)]
        if tone:
            padded[1] = self.tint(padded[1], tone)
        return "  ".join([*padded, cut(cells[-1], room)]).rstrip()


def cut(text: str, room: int) -> str:
    """At most `room` characters, with an ellipsis where something is missing."""
    return text if len(text) <= room else f"{text[: max(1, room - 1)]}…"


def when(moment: datetime | str | None) -> str:
    """`2026-07-01 12:00:00`, UTC; empty for none."""
    found = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return "" if found is None else f"{found:%Y-%m-%d %H:%M:%S}"


def percent(share: float | None) -> str:
    """`12.3 %`; a dash for what is not known."""
    return "–" if share is None else f"{share:.1%}".replace("%", " %")


def number(value: float | None, form: str = ".2f") -> str:
    """A dash for what is not known."""
    return "–" if value is None else format(value, form)
