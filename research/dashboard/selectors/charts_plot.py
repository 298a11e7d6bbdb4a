"""A chart as the template `research/charts/plot.html` draws it: everything in words and places, nothing to compute."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from research.dashboard.selectors.charts_path import percent
from research.dashboard.selectors.charts_scale import label, step_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from research.dashboard.selectors.charts_scale import Scale


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis; `at` is an SVG length from the left or from the top."""

    at: str
    label: str
    edge: str = ""  # "first" and "last" are set so that their labels stay inside


@dataclass(frozen=True, slots=True)
class Line:
    """`path` in 1000 by 1000; `style` names its classes, `name` is its entry in the legend (none: no entry)."""

    path: str
    style: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line at `at` with a label."""

    at: str
    label: str
    style: str = ""
    edge: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """A background from `at`, `width` wide."""

    at: str
    width: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Plot:
    """`points` is what the readout under the pointer says: see `static/ktrdr/chart.js`."""

    key: str
    title: str
    text: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    lines: list[Line]
    y_name: str = ""
    marks: list[Mark] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)
    points: dict[str, Any] | None = None

    @property
    def legend(self) -> list[Line]:
        return [line for line in self.lines if line.name]

    @property
    def data_id(self) -> str:
        return f"{self.key}-points"


def y_ticks(scale: Scale, say: Callable[[float], str] | None = None, most: int = 5) -> list[Tick]:
    """The labelled heights of a scale, places from the top."""
    values = scale.ticks(most)
    step = step_of(values)
    return [Tick(percent(1 - (scale.at(value) or 0.0)), say(value) if say else label(value, step)) for value in values]


def x_ticks(scale: Scale, values: Iterable[tuple[float, str]]) -> list[Tick]:
    """Labelled values, those too near an edge turned inwards."""
    places = [(scale.at(value), text) for value, text in values]
    return [Tick(percent(at), text, edge_of(at)) for at, text in places if at is not None and -0.001 <= at <= 1.001]


def edge_of(at: float) -> str:
    """`first` or `last` where a centred label would leave the chart."""
    return "first" if at < 0.04 else "last" if at > 0.96 else ""
