"""Scales and their ticks: every value in its place, labels at round values, nothing that is no number."""

from __future__ import annotations

import math

import pytest

from research.dashboard.selectors.charts_scale import Scale, label, scale_of, step_of


def test_a_value_lies_between_the_ends_in_proportion() -> None:
    assert Scale(10, 20).at(15) == 0.5
    assert Scale(1, 100, logarithmic=True).at(10) == pytest.approx(0.5)


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_no_number_has_no_place(value: float | None) -> None:
    assert Scale(0, 1).at(value) is None


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_logarithmic_scale_has_no_place_for_what_is_not_above_zero(value: float) -> None:
    assert Scale(0.1, 10, logarithmic=True).at(value) is None


def test_a_scale_passes_over_what_is_no_number() -> None:
    scale = scale_of([None, math.nan, 2.0, math.inf, 4.0])
    assert 1.5 < scale.low < 2.0
    assert 4.0 < scale.high < 4.5


@pytest.mark.parametrize("values", [[], [None], [math.nan, math.inf]])
def test_a_scale_of_nothing_is_zero_to_one(values: list[float | None]) -> None:
    assert scale_of(values) == Scale(0.0, 1.0)


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 1e-12, 1e12])
def test_a_scale_of_a_single_value_has_room_around_it(value: float) -> None:
    scale = scale_of([value, value])
    assert scale.low < value < scale.high
    assert scale.at(value) == pytest.approx(0.5)


def test_a_scale_turns_logarithmic_when_its_values_are_far_apart() -> None:
    assert scale_of([1.0, 2.0], log_above=3).logarithmic is False
    assert scale_of([1.0, 4.0], log_above=3).logarithmic is True
    assert scale_of([0.0, 4.0], log_above=3).logarithmic is False


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0.0, 1.0, 5, [0.0, 0.25, 0.5, 0.75, 1.0]),
        (0.0, 100.0, 6, [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]),
        (-0.57, 0.0, 3, [-0.4, -0.2, 0.0]),
        (0.51, 0.73, 5, [0.55, 0.6, 0.65, 0.7]),
        (997.0, 1003.0, 4, [998.0, 1000.0, 1002.0]),
    ],
)
def test_ticks_are_round_and_inside(low: float, high: float, most: int, expected: list[float]) -> None:
    assert Scale(low, high).ticks(most) == pytest.approx(expected)


@pytest.mark.parametrize("most", [2, 3, 5, 8])
def test_there_are_never_more_ticks_than_asked_for_and_never_none(most: int) -> None:
    for power in range(-9, 10, 3):
        for low, wide in ((0.0, 1.0), (0.13, 0.91), (-7.7, 9.3), (3.0, 0.0042)):
            scale = Scale(low * 10.0**power, (low + wide) * 10.0**power)
            ticks = scale.ticks(most)
            assert 1 <= len(ticks) <= most, (scale, ticks)
            assert ticks == sorted(ticks)


def test_logarithmic_ticks_are_round_and_inside() -> None:
    assert Scale(0.6, 7.0, logarithmic=True).ticks(5) == pytest.approx([1.0, 2.0, 5.0])
    assert Scale(0.001, 1000.0, logarithmic=True).ticks(7) == pytest.approx([0.001, 0.01, 0.1, 1, 10, 100, 1000])
    assert Scale(2.1, 2.2, logarithmic=True).ticks(5) == [2.1]


@pytest.mark.parametrize(
    ("value", "step", "expected"),
    [(0, 0.1, "0"), (0.5, 0.25, "0.50"), (0.25, 0.25, "0.25"), (0.6, 0.2, "0.6"), (12000, 2000, "12,000"),
     (-0.05, 0.05, "-0.05"), (2.5, 2.5, "2.5")],
)  # fmt: skip
def test_a_label_has_as_many_digits_as_tell_it_from_its_neighbour(value: float, step: float, expected: str) -> None:
    assert label(value, step) == expected


def test_the_step_is_the_smallest_distance() -> None:
    assert step_of([1, 2, 5]) == 1
    assert step_of([4]) == 1
