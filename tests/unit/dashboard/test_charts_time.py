"""Round moments and durations."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from research.dashboard.selectors.charts_time import calendar_ticks, elapsed, elapsed_step


def at(*date: int) -> float:
    return datetime(*date, tzinfo=UTC).timestamp()  # type: ignore[arg-type,misc]


def test_many_years_are_labelled_by_round_years() -> None:
    ticks = calendar_ticks(at(1999, 1, 4), at(2018, 12, 31), 6)
    assert [label for _, label in ticks] == ["2000", "2005", "2010", "2015"]
    assert ticks[0][0] == at(2000, 1, 1)


def test_some_months_are_labelled_by_months() -> None:
    assert [label for _, label in calendar_ticks(at(2020, 1, 15), at(2020, 7, 10), 8)] == [
        "Feb 2020", "Mar 2020", "Apr 2020", "May 2020", "Jun 2020", "Jul 2020",
    ]  # fmt: skip


def test_some_days_are_labelled_by_days_and_hours() -> None:
    assert [label for _, label in calendar_ticks(at(2020, 3, 1), at(2020, 3, 2), 4)] == [
        "1 Mar 00:00", "1 Mar 08:00", "1 Mar 16:00", "2 Mar 00:00",
    ]  # fmt: skip


@pytest.mark.parametrize("days", [0, 1, 20, 44, 46, 400, 4000, 40_000])
def test_there_are_never_too_many_and_all_lie_inside(days: int) -> None:
    first, last = at(1980, 2, 3), at(1980, 2, 3) + 86_400 * days
    ticks = calendar_ticks(first, last, 8)
    assert len(ticks) <= 8
    assert all(first <= moment <= last for moment, _ in ticks)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.2, "0.2 s"), (2.0, "2 s"), (9.96, "10.0 s"), (45, "45 s"), (60, "1 min"), (88, "1 min 28 s"),
     (3600, "1 h"), (5400, "1 h 30 min"), (86_400 * 2 + 3600 * 4, "2 d 4 h")],
)  # fmt: skip
def test_a_duration_in_words(seconds: float, text: str) -> None:
    assert elapsed(seconds) == text


def test_a_step_fits_as_often_as_asked() -> None:
    assert elapsed_step(5.6, 6) == 1
    assert elapsed_step(130, 6) == 30
    assert elapsed_step(1e9, 6) == 365 * 86400
