"""What commands print on a terminal and elsewhere."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from research.management.terminal import Out, cut, number, percent, when

if TYPE_CHECKING:
    import pytest


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_only() -> None:
    assert Out(Terminal()).tint("bad news", "bad") == "\x1b[31mbad news\x1b[0m"
    assert Out(StringIO()).tint("bad news", "bad") == "bad news"
    assert Out(Terminal(), colour=False).tint("bad news", "bad") == "bad news"


def test_columns_are_aligned_and_the_last_is_cut_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    Out(stream, colour=False).table(("ID", "STATE", "BRIEF"), [(1, "training", "a" * 50), (22, "done", "b\nb")])
    assert stream.getvalue().splitlines() == [
        "ID  STATE     BRIEF", "1   training  " + "a" * 25 + "…", "22  done      b b",
    ]  # fmt: skip


def test_facts_are_aligned_and_empty_ones_left_out() -> None:
    stream = StringIO()
    Out(stream).pairs([("seed", 0), ("why", ""), ("strategy", None), ("created", "now")])
    assert stream.getvalue() == "seed     0\ncreated  now\n"


def test_figures_that_are_not_known_are_dashes() -> None:
    assert (percent(None), percent(0.123), number(None), number(1.234)) == ("–", "12.3 %", "–", "1.23")
    assert (when(None), when("2026-07-01T12:00:00.5+00:00")) == ("", "2026-07-01 12:00:00")
    assert (cut("abcdef", 4), cut("abcd", 4)) == ("abc…", "abcd")
