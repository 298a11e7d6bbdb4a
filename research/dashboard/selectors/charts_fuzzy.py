"""The fuzzy sets of an input, drawn: one Gaussian for each term over the indicator's own units. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from research.dashboard.selectors.charts_path import line
from research.dashboard.selectors.charts_plot import Line, Plot, Tick, x_ticks
from research.dashboard.selectors.charts_scale import Scale, label, step_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STEPS = 80
REACH = 2.2  # widths shown beyond the outer centres


def membership(value: float, centre: float, width: float) -> float:
    """0 to 1: how much a value belongs to a term, as `workers.market.fuzzy` has it."""
    return math.exp(-0.5 * ((value - centre) / width) ** 2)


def fuzzy_plot(name: str, terms: Sequence[Mapping[str, Any]]) -> Plot:
    """`terms` as in a training's result: name, centre and width (above 0), in order; at least one."""
    low = min(term["centre"] - REACH * term["width"] for term in terms)
    high = max(term["centre"] + REACH * term["width"] for term in terms)
    across = Scale(low, high if high > low else low + 1.0)
    values = [low + (across.high - low) * step / STEPS for step in range(STEPS + 1)]
    xs = [step / STEPS for step in range(STEPS + 1)]
    lines = [
        Line(line(xs, [0.94 * membership(value, term["centre"], term["width"]) for value in values]),
             f"plot-line series-{1 + position % 5}", str(term["name"]))
        for position, term in enumerate(terms)
    ]  # fmt: skip
    ticks = across.ticks(4)
    step = step_of(ticks)
    return Plot(
        f"fuzzy-{name}", f"Fuzzy sets of {name}", "; ".join(_says(term) for term in terms) + ".",
        x_ticks(across, [(value, label(value, step)) for value in ticks]), [Tick("6%", "1"), Tick("100%", "0")], lines,
    )  # fmt: skip


def _says(term: Mapping[str, Any]) -> str:
    return f"{term['name']} is centred at {term['centre']:.4g} with a width of {term['width']:.3g}"
