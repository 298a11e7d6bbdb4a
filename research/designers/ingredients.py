"""What the built-in designer builds from: indicators with the periods worth trying and the idea each stands for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workers.market.indicators import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

THREE = ("low", "mid", "high")
TWO = ("low", "high")
FIVE = ("very_low", "low", "mid", "high", "very_high")


@dataclass(frozen=True)
class Ingredient:
    """`idea`: `momentum` (high means up), `reversion` (low means up) or `regime` (when another idea holds)."""

    function: str
    idea: str
    choices: Mapping[str, tuple[int | float, ...]]
    terms: tuple[tuple[str, ...], ...] = (THREE,)
    output: str | None = None
    about: frozenset[str] = field(default_factory=frozenset)

    def pick(self, random: Random) -> tuple[str, dict[str, Any], list[str]]:
        """An indicator's id, its specification and its terms."""
        params = {name: random.choice(values) for name, values in self.choices.items()}
        spec: dict[str, Any] = {"function": self.function, "params": params}
        if self.output is not None:
            spec["output"] = self.output
        return identifier(spec), spec, list(random.choice(self.terms))


def identifier(indicator: Mapping[str, Any]) -> str:
    """`rsi14`, `sma_ratio20_100`, `bbands_width20`: function, an output that is not its first, whole parameters."""
    function, output = indicator["function"], indicator.get("output")
    first = FUNCTIONS[function].outputs[0]
    name = function if output in {None, first} else f"{function}_{output}"
    return name + "_".join(str(value) for value in indicator["params"].values() if isinstance(value, int))


_PERIODS = {"period": (5, 10, 15, 20, 30, 40, 60)}
_LONG = {"period": (40, 60, 100, 150, 200, 252)}
_SHORT = {"period": (2, 3, 5, 7, 10, 14, 20)}

INGREDIENTS = (
    Ingredient("roc", "momentum", {"period": (10, 20, 40, 60, 120, 250)}, (THREE, FIVE)),
    Ingredient("linearreg_slope", "momentum", _PERIODS, (THREE, TWO)),
    Ingredient("price_to_sma", "momentum", _LONG, (THREE, TWO)),
    Ingredient("sma_ratio", "momentum", {"fast": (10, 20, 50), "slow": (100, 150, 200)}, (TWO, THREE)),
    Ingredient("macd", "momentum", {"fast": (6, 9, 12), "slow": (20, 26, 39), "signal": (5, 9)}, output="hist"),
    Ingredient("dmi", "momentum", _PERIODS),
    Ingredient("aroon", "momentum", _PERIODS),
    Ingredient("trix", "momentum", {"period": (5, 10, 15, 20, 30)}),
    Ingredient("distance_from_high", "momentum", _LONG, about=frozenset({"breakout"})),
    Ingredient("obv_slope", "momentum", _PERIODS, about=frozenset({"volume"})),
    Ingredient("rsi", "reversion", _SHORT, (THREE, FIVE)),
    Ingredient("bbands", "reversion", {"period": (10, 15, 20, 30), "width": (1.5, 2.0, 2.5)}, (THREE, FIVE)),
    Ingredient("stoch", "reversion", {"k": (5, 9, 14, 21), "smooth": (1, 3), "d": (3,)}, output="k"),
    Ingredient("willr", "reversion", _SHORT),
    Ingredient("cci", "reversion", {"period": (5, 10, 14, 20, 30)}, (THREE, FIVE)),
    Ingredient("cmo", "reversion", _SHORT),
    Ingredient("mfi", "reversion", _SHORT, about=frozenset({"volume"})),
    Ingredient("natr", "regime", _PERIODS, (TWO, THREE), about=frozenset({"volatility"})),
    Ingredient("volatility", "regime", _PERIODS, (TWO, THREE), about=frozenset({"volatility"})),
    Ingredient("volatility_ratio", "regime", {"fast": (5, 10, 20), "slow": (40, 60, 120)}, (TWO,),
               about=frozenset({"volatility"})),
    Ingredient("bbands", "regime", {"period": (20, 40), "width": (2.0,)}, (TWO,), "width", frozenset({"volatility"})),
    Ingredient("adx", "regime", {"period": (7, 10, 14, 20, 30)}, (TWO, THREE), about=frozenset({"strength"})),
    Ingredient("volume_ratio", "regime", {"period": (10, 20, 50)}, (TWO,), about=frozenset({"volume"})),
)  # fmt: skip

_WORDS = {
    "momentum": r"momentum|trend|follow|breakout|strength",
    "reversion": r"revers|revert|oversold|overbought|contrarian|\bdips?\b|pull-?back",
    "volatility": r"volatil|calm|quiet|risk|regime",
    "volume": r"volume|turnover|flow",
    "breakout": r"break-?out|new highs?",
    "strength": r"strength|strong",
    "short": r"\bshort|long.short",
}


def themes(text: str) -> frozenset[str]:
    """What a brief's words steer to: ideas, subjects, and `short` for selling short."""
    return frozenset(theme for theme, pattern in _WORDS.items() if re.search(pattern, text.lower()))


def choose(random: Random, idea: str, wanted: frozenset[str]) -> Ingredient:
    """An ingredient of the idea, one of the wanted subjects where the idea has any."""
    those = [one for one in INGREDIENTS if one.idea == idea]
    return random.choice([one for one in those if one.about & wanted] or those)
