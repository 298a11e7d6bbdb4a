"""What a user gives with a research: a specification, overrides, a designer's name; checked before it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from research import designers
from research.services.errors import Invalid
from workers import strategy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def check_given(
    given: Mapping[str, Any] | None, overrides: Sequence[str], designer: str
) -> dict[str, Any] | None:  # fmt: skip
    """The given specification with the overrides in it, complete and valid; None when one is to be designed.

    Overrides for a design to come are tried on a sample design, so that a bad one is refused now and not later.
    Raises `Invalid`.
    """
    try:
        if given is not None:
            return complete(given, overrides)
        sample = designers.get(designer).design(designers.Brief(text="", symbol="SAMPLE", timeframe="1d", seed=0)).spec
        complete(sample, overrides)
    except (strategy.InvalidStrategy, ValueError, LookupError) as error:
        raise Invalid(str(error)) from None
    return None


def on_market(given: Mapping[str, Any] | None, symbol: str, timeframe: str) -> dict[str, Any] | None:
    """A copy of the specification that trades this symbol and timeframe where they are given."""
    if given is None:
        return None
    data, asked = given.get("data", {}), {"symbol": symbol, "timeframe": timeframe}
    if not isinstance(data, dict):
        return dict(given)
    return {**given, "data": data | {name: value for name, value in asked.items() if value}}


def complete(spec: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """The specification with overrides and all defaults written out. Raises `workers.strategy.InvalidStrategy`."""
    parsed = strategy.parse(strategy.with_overrides(dict(spec), list(overrides)))
    return parsed.model_dump(mode="json", by_alias=True)
