"""From a mapping or a text to a `Strategy`, with every problem found on the way; and back to one canonical text."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from workers.market.indicators import FUNCTIONS
from workers.strategy import check
from workers.strategy.models import Decision, Indicator, Rule, Strategy, Terms
from workers.strategy.problems import InvalidStrategy, Problem
from workers.strategy.pydantic_problems import found_by_pydantic
from workers.strategy.texts import read

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
_INDICATOR, _RULE, _DECISION = TypeAdapter(Indicator), TypeAdapter(Rule), TypeAdapter(Decision)
_TERMS: TypeAdapter[list[str]] = TypeAdapter(Terms)


def parse(data: Mapping[str, Any]) -> Strategy:
    """The strategy in `data`, defaults of its indicators filled in. Raises `InvalidStrategy` with all problems."""
    if not isinstance(data, dict):
        raise InvalidStrategy(
            [Problem("", f"must be a mapping with name, data, indicators ..., not {type(data).__name__}")]
        )
    try:
        strategy, problems = Strategy.model_validate(data), []
    except ValidationError as error:
        strategy, problems = None, found_by_pydantic(error)
    problems += check.problems(_draft(data))
    if strategy is None or problems:
        raise InvalidStrategy(problems)
    return _filled(strategy)


def load_text(text: str) -> Strategy:
    """`parse` of a YAML or JSON text. Raises `InvalidStrategy`, also for a text that is neither."""
    return parse(read(text))


def canonical_json(strategy: Strategy) -> str:
    """One text per meaning: keys sorted, no spaces, defaults written out. Survives a store that reorders keys."""
    return json.dumps(strategy.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def strategy_sha256(strategy: Strategy) -> str:
    """SHA-256 of `canonical_json`, in hexadecimal."""
    return hashlib.sha256(canonical_json(strategy).encode()).hexdigest()


def _filled(strategy: Strategy) -> Strategy:
    """Defaults of the registry become part of the strategy, so that a later change of a default changes no result."""
    indicators = {name: _fill(indicator) for name, indicator in strategy.indicators.items()}
    return strategy.model_copy(update={"indicators": indicators})


def _fill(indicator: Indicator) -> Indicator:
    function = FUNCTIONS[indicator.function]
    given = {name: indicator.params.get(name, param.default) for name, param in function.params.items()}
    params = {name: value if function.params[name].whole else float(value) for name, value in given.items()}
    source = (indicator.input or "close") if function.takes_source else None
    return Indicator(
        function=indicator.function, params=params, input=source, output=indicator.output or function.outputs[0]
    )


def _draft(data: dict[str, Any]) -> check.Draft:
    raw_indicators, raw_inputs = _mapping(data.get("indicators")), _mapping(data.get("inputs"))
    rules = data.get("rules", [])
    inputs = _sound(_TERMS, raw_inputs)
    return check.Draft(
        ids=list(raw_indicators),
        indicators=_sound(_INDICATOR, raw_indicators),
        inputs=inputs,
        unsound_inputs=[name for name in raw_inputs if name not in inputs],
        rules=_sound(_RULE, dict(enumerate(rules))) if isinstance(rules, list) else {},
        rule_count=len(rules) if isinstance(rules, list) else 1,
        has_network=data.get("network") is not None,
        decision=_sound(_DECISION, {0: data.get("decision", {})}).get(0),
    )


def _mapping(value: Any) -> dict[str, Any]:
    return {key: part for key, part in value.items() if isinstance(key, str)} if isinstance(value, dict) else {}


def _sound(adapter: TypeAdapter[T], parts: Mapping[Any, Any]) -> dict[Any, T]:
    sound: dict[Any, T] = {}
    for key, part in parts.items():
        try:
            sound[key] = adapter.validate_python(part)
        except ValidationError:
            continue  # named by the validation of the whole
    return sound
