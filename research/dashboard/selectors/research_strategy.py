"""The strategy in words, and after the training what it learned: rules with weights, fuzzy sets drawn."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from research.dashboard.selectors.charts_fuzzy import fuzzy_plot
from research.dashboard.selectors.charts_path import percent
from research.dashboard.selectors.research_figures import is_number
from research.lifecycle.states import Kind
from workers.strategy import InvalidStrategy, describe, parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from research.dashboard.selectors.charts_plot import Plot
    from research.dashboard.selectors.research_rows import Rows


@dataclass(frozen=True, slots=True)
class Rule:
    """One learned rule; `bar` is its weight as a length of half the column, `long` its side."""

    text: str
    weight: str
    long: bool
    bar: str
    at: str
    support: str
    strength: str


@dataclass(frozen=True, slots=True)
class Strategy:
    """`problem`: the stored specification is of a form that this version cannot put into words."""

    follows: str
    name: str = ""
    origin: str = ""
    hypothesis: str = ""
    sentences: list[str] = field(default_factory=list)
    indicators: list[tuple[str, str, str, str]] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    terms: list[Plot] = field(default_factory=list)
    spec: Mapping[str, Any] | None = None
    problem: str = ""

    @property
    def spec_text(self) -> str:
        return json.dumps(self.spec, indent=1, ensure_ascii=False)


def strategy(rows: Rows) -> Strategy:
    spec, research, result = rows.spec, rows.research, rows.result(Kind.TRAINING)
    if spec is None:
        return Strategy(rows.follows)
    learned: dict[str, Any] = {"rules": rules(result), "terms": terms(result), "spec": spec}
    origin = research.strategy.origin if research.strategy else "given"
    try:
        parsed = parse(dict(spec))
    except InvalidStrategy as problem:
        return Strategy(rows.follows, str(spec.get("name", "")), origin, problem=str(problem), **learned)
    _title, *sentences = describe(parsed)
    used = [
        (name, one.function, ", ".join(f"{key} {value:g}" for key, value in one.params.items()),
         ", ".join(parsed.inputs.get(name, [])))
        for name, one in sorted(parsed.indicators.items())
    ]  # fmt: skip
    return Strategy(rows.follows, parsed.name, origin, parsed.hypothesis, sentences, used, **learned)


def rules(result: Mapping[str, Any]) -> list[Rule]:
    """Of a training's result, the most decisive first; one whose numbers are not finite is left out."""
    given = [one for one in result.get("rules") or [] if all(is_number(one.get(key)) for key in _NUMBERS)]
    most = max((abs(one["weight"]) for one in given), default=0.0) or 1.0
    return [_rule(one, most) for one in sorted(given, key=lambda one: -one["strength"] * abs(one["weight"]))]


_NUMBERS = ("weight", "support", "strength")


def _rule(one: Mapping[str, Any], most: float) -> Rule:
    weight = float(one["weight"])
    width = 0.5 * abs(weight) / most
    text = str(one["text"])
    head = text.rsplit(", fires on", 1)[0].rsplit(" ", 1)[0]
    return Rule(
        head, f"{weight:+.2f}", weight > 0, percent(width), percent(0.5 if weight > 0 else 0.5 - width),
        f"{one['support']:.0%}", f"{one['strength']:.0%}",
    )  # fmt: skip


def terms(result: Mapping[str, Any]) -> list[Plot]:
    """The fuzzy sets of each input that has finite ones."""
    return [
        fuzzy_plot(str(one["input"]), one["terms"])
        for one in result.get("terms") or []
        if one["terms"] and all(_drawable(term) for term in one["terms"])
    ]


def _drawable(term: Mapping[str, Any]) -> bool:
    return is_number(term.get("centre")) and is_number(term.get("width")) and term["width"] > 0
