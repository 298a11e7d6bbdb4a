"""Lines and areas of charts as SVG path data, in a square of 1000 by 1000 whose y grows downwards. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZE = 1000.0
_Place = float | None


def line(xs: Sequence[_Place], ys: Sequence[_Place]) -> str:
    """A line through the places (0 to 1, y upwards); it is broken where one of them is None. Empty for no places.

    A place alone between two gaps becomes a dot: a stroke of no length with round ends.
    """
    return "".join(_run(run) for run in runs(xs, ys))


def area(xs: Sequence[_Place], ys: Sequence[_Place], base: float) -> str:
    """As `line`, every piece closed down (or up) to the place `base`."""
    floor = _down(base)
    pieces = (f"{_run(run)}L{_number(run[-1][0])} {floor}L{_number(run[0][0])} {floor}Z" for run in runs(xs, ys))
    return "".join(pieces)


def runs(xs: Sequence[_Place], ys: Sequence[_Place]) -> list[list[tuple[float, float]]]:
    """The unbroken pieces."""
    found: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(xs, ys, strict=True):
        if x is not None and y is not None:
            found[-1].append((x, y))
        elif found[-1]:
            found.append([])
    return [run for run in found if run]


def percent(place: float) -> str:
    """A place as an SVG length: 0.125 → `12.5%`."""
    return f"{100 * place:.2f}".rstrip("0").rstrip(".") + "%"


def _run(run: list[tuple[float, float]]) -> str:
    points = [f"{_number(x)} {_down(y)}" for x, y in run]
    return "M" + "L".join(points if len(points) > 1 else points * 2)


def _down(y: float) -> str:
    return _number(1.0 - y)


def _number(place: float) -> str:
    return f"{place * SIZE:.1f}".removesuffix(".0")
