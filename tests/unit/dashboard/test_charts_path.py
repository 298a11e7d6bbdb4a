"""Lines and areas as SVG paths."""

from __future__ import annotations

import pytest

from research.dashboard.selectors.charts_path import area, line, percent


def test_a_line_goes_through_its_places_and_up_is_up() -> None:
    assert line([0.0, 0.5, 1.0], [0.0, 1.0, 0.25]) == "M0 1000L500 0L1000 750"


def test_a_line_is_broken_where_a_place_is_missing() -> None:
    assert line([0.0, 0.1, 0.2, 0.3, 0.4], [0.0, 0.0, None, 1.0, 1.0]) == "M0 1000L100 1000M300 0L400 0"


def test_a_place_alone_is_a_dot() -> None:
    assert line([None, 0.5, None], [0.1, 0.5, 0.1]) == "M500 500L500 500"


@pytest.mark.parametrize(("xs", "ys"), [([], []), ([0.0], [None]), ([None, None], [0.0, 1.0])])
def test_nothing_to_draw_is_an_empty_path(xs: list[float | None], ys: list[float | None]) -> None:
    assert line(xs, ys) == ""
    assert area(xs, ys, 0.0) == ""


def test_an_area_is_closed_to_its_base() -> None:
    assert area([0.0, 1.0], [0.5, 0.25], 1.0) == "M0 500L1000 750L1000 0L0 0Z"


def test_columns_of_different_length_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="shorter"):
        line([0.0, 1.0], [0.0])


@pytest.mark.parametrize(("place", "length"), [(0.0, "0%"), (0.125, "12.5%"), (1.0, "100%"), (1 / 3, "33.33%")])
def test_a_place_as_a_length(place: float, length: str) -> None:
    assert percent(place) == length
