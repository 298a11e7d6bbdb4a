"""What several fields of a strategy say together: the registry of indicators, terms, rules, thresholds.

Works on a draft, the parts that are sound by themselves, so that one wrong field does not hide the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workers.market.indicators import FUNCTIONS, Function, Param
from workers.strategy.problems import Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from workers.strategy.models import Decision, Indicator, Rule


@dataclass(frozen=True)
class Draft:
    """The sound parts; `ids` also has the indicators, and `rule_count` the rules, that are not sound."""

    ids: Collection[str]
    indicators: Mapping[str, Indicator]
    inputs: Mapping[str, list[str]]
    unsound_inputs: Collection[str]
    rules: Mapping[int, Rule]
    rule_count: int
    has_network: bool
    decision: Decision | None


def problems(draft: Draft) -> Iterator[Problem]:
    for name, indicator in draft.indicators.items():
        yield from _indicator(f"indicators.{name}", indicator)
    for name, terms in draft.inputs.items():
        yield from _input(name, terms, draft.ids)
    for position, rule in draft.rules.items():
        yield from _rule(f"rules.{position}.if", rule, draft)
    yield from _twins(draft.rules)
    if draft.rule_count == 0 and not draft.has_network:
        yield Problem("rules", "no rule and no network: nothing could decide; write at least one rule")
    if draft.decision is not None and draft.decision.exit >= draft.decision.enter:
        yield Problem(
            "decision.exit", f"must be below enter ({draft.decision.enter}), or a position closes as it opens"
        )


def _indicator(path: str, indicator: Indicator) -> Iterator[Problem]:
    function = FUNCTIONS.get(indicator.function)
    if function is None:
        hint = did_you_mean(indicator.function, FUNCTIONS)
        yield Problem(f"{path}.function", f"unknown function {indicator.function!r}; {hint}")
        return
    for name, value in indicator.params.items():
        if name not in function.params:
            yield Problem(
                f"{path}.params.{name}", f"{function.name} has no such parameter; {did_you_mean(name, function.params)}"
            )
        elif message := _out_of_range(function.params[name], value):
            yield Problem(f"{path}.params.{name}", message)
    if indicator.input is not None and not function.takes_source:
        yield Problem(f"{path}.input", f"{function.name} has its inputs fixed; leave this key out")
    if indicator.output is not None and indicator.output not in function.outputs:
        hint = did_you_mean(indicator.output, function.outputs)
        yield Problem(f"{path}.output", f"{function.name} has no output {indicator.output!r}; {hint}")
    yield from _rising(path, indicator, function)


def _out_of_range(param: Param, value: float) -> str:
    if param.whole and not isinstance(value, int):
        return f"must be a whole number, not {value}"
    if not param.low <= value <= param.high:
        return f"must be between {param.low} and {param.high}, not {value}"
    return ""


def _rising(path: str, indicator: Indicator, function: Function) -> Iterator[Problem]:
    values = [indicator.params.get(name, function.params[name].default) for name in function.rising]
    for left, right, low, high in zip(function.rising, function.rising[1:], values, values[1:], strict=False):
        if low >= high:
            yield Problem(f"{path}.params.{left}", f"must be below {right}, but {low} >= {high}")


def _input(name: str, terms: list[str], ids: Collection[str]) -> Iterator[Problem]:
    if name not in ids:
        yield Problem(f"inputs.{name}", f"no indicator of this name; {did_you_mean(name, ids)}")
    if len(set(terms)) != len(terms):
        yield Problem(f"inputs.{name}", f"terms must differ: {', '.join(terms)}")


def _rule(path: str, rule: Rule, draft: Draft) -> Iterator[Problem]:
    for name, term in rule.when.items():
        if name in draft.unsound_inputs:
            continue
        if name not in draft.inputs:
            hint = did_you_mean(name, [*draft.inputs, *draft.unsound_inputs])
            yield Problem(f"{path}.{name}", f"unknown input; {hint}")
        elif term not in draft.inputs[name]:
            yield Problem(f"{path}.{name}", f"unknown term {term!r}; {did_you_mean(term, draft.inputs[name])}")


def _twins(rules: Mapping[int, Rule]) -> Iterator[Problem]:
    first: dict[frozenset[tuple[str, str]], int] = {}
    for position, rule in rules.items():
        same = first.setdefault(frozenset(rule.when.items()), position)
        if same != position:
            yield Problem(f"rules.{position}.if", f"has the same conditions as rule {same}; join them")
