"""The layout of the timeline: bars in proportion, idle stretches cut out, labels where there is room."""

from __future__ import annotations

import pytest

from research.dashboard.selectors.charts_gantt import Axis, Job, axis_of, layout

NOW = 1000.0


def number(length: str) -> float:
    return float(length.removesuffix("%"))


def test_a_lone_operation_fills_the_width() -> None:
    [bar] = layout([Job(1, 0.0, 0.0, 10.0)], NOW).bars
    assert (number(bar.at), number(bar.width), number(bar.wait_width)) == (0, 100, 0)
    assert bar.beside == "inside"


def test_waiting_and_working_lie_in_proportion() -> None:
    [bar] = layout([Job(1, 0.0, 25.0, 100.0)], NOW).bars
    assert number(bar.wait_at) == 0
    assert number(bar.wait_width) == 25
    assert (number(bar.at), number(bar.width)) == (25, 75)


def test_what_still_runs_reaches_to_now_and_what_is_queued_has_no_bar() -> None:
    ran, waits = layout([Job(1, 900.0, 900.0, None), Job(2, 950.0, None, None)], NOW).bars
    assert number(ran.at) + number(ran.width) == pytest.approx(100)
    assert number(waits.width) == 0
    assert number(waits.wait_at) == pytest.approx(50)
    assert number(waits.wait_at) + number(waits.wait_width) == pytest.approx(100)


def test_an_operation_of_no_length_can_still_be_seen_and_stays_inside() -> None:
    first, last = layout([Job(1, 0.0, 0.0, 100.0), Job(2, 100.0, 100.0, 100.0)], NOW).bars
    assert number(last.width) > 0
    assert number(last.at) + number(last.width) <= 100
    assert number(first.at) == 0


def test_days_between_two_tries_are_cut_out_and_named() -> None:
    gantt = layout([Job(1, 0.0, 0.0, 10.0), Job(2, 86_410.0, 86_410.0, 86_420.0)], 90_000.0)
    [cut] = gantt.cuts
    assert cut.text == "1 d"
    before, after = gantt.bars
    assert number(before.width) == pytest.approx(number(after.width), abs=0.01)
    assert number(before.at) + number(before.width) <= number(cut.at) + 0.01
    assert number(cut.at) + number(cut.width) <= number(after.at) + 0.01


def test_a_short_pause_is_not_cut_out() -> None:
    assert layout([Job(1, 0.0, 0.0, 10.0), Job(2, 12.0, 12.0, 22.0)], NOW).cuts == []


def test_places_grow_with_time_and_stay_between_the_ends() -> None:
    axis = Axis([(0.0, 10.0), (100.0, 130.0), (500.0, 501.0)])
    places = [axis.at(moment) for moment in (-5, 0, 5, 10, 50, 100, 129, 130, 300, 500, 501, 900)]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0.0, pytest.approx(1.0))


def test_overlapping_operations_make_one_stretch() -> None:
    assert axis_of([Job(1, 0.0, 1.0, 10.0), Job(2, 5.0, 6.0, 8.0)], NOW).stretches == [(0.0, 10.0)]


def test_labels_go_where_there_is_room() -> None:
    bars = layout([Job(1, 0.0, 0.0, 20.0), Job(2, 20.0, 20.0, 95.0), Job(3, 95.0, 95.0, 100.0)], NOW).bars
    assert [bar.beside for bar in bars] == ["after", "inside", "before"]


def test_a_clock_that_went_back_breaks_nothing() -> None:
    [bar] = layout([Job(1, 100.0, 100.0, 90.0)], 80.0).bars
    assert number(bar.width) > 0


def test_every_tick_lies_inside_and_the_beginning_is_named() -> None:
    ticks = layout([Job(1, 0.0, 3.0, 137.0)], NOW).ticks
    assert (ticks[0].at, ticks[0].label) == ("0%", "0 s")
    assert [tick.label for tick in ticks[1:]] == ["30 s", "1 min", "1 min 30 s", "2 min"]
    assert all(0 <= number(tick.at) <= 100 for tick in ticks)
