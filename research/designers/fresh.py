"""A new strategy from one idea, sometimes two, sometimes only in a certain regime."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from research.designers.ingredients import choose, themes

if TYPE_CHECKING:
    from random import Random

    from research.designers.base import Brief

_BELIEFS = {
    "momentum": "what has risen goes on rising",
    "reversion": "what has fallen too far comes back",
}


def design(random: Random, brief: Brief) -> dict[str, Any]:
    """A specification; the words of the brief choose the idea where they name one."""
    wanted = themes(brief.text)
    ideas = sorted(wanted & set(_BELIEFS)) or [random.choice(sorted(_BELIEFS))]
    if len(ideas) == 1 and random.random() < 0.4:
        ideas = [*ideas, random.choice(ideas if wanted & set(_BELIEFS) else sorted(_BELIEFS))]
    if "volatility" in wanted or random.random() < 0.4:
        ideas = [*ideas, "regime"]
    picked: dict[str, tuple[str, dict[str, Any], list[str]]] = {}
    for idea in ideas:
        name, spec, terms = choose(random, idea, wanted).pick(random)
        picked.setdefault(name, (idea, spec, terms))
    return {
        "version": 1,
        **_words(picked),
        "data": {"symbol": brief.symbol, "timeframe": brief.timeframe},
        "indicators": {name: spec for name, (_, spec, _) in picked.items()},
        "inputs": {name: terms for name, (_, _, terms) in picked.items()},
        "rules": _rules(random, {name: (idea, terms) for name, (idea, _, terms) in picked.items()}),
        "network": {"hidden": random.choice((4, 8))} if random.random() < 0.3 else None,
        "labels": labels(random),
        "decision": decision(random, "short" in wanted),
        "training": {"epochs": random.choice((20, 30, 40)), "learning_rate": random.choice((0.01, 0.02, 0.03))},
    }


def labels(random: Random) -> dict[str, Any]:
    barrier = random.choice((0.5, 0.75, 1.0))
    return {
        "kind": random.choice(("triple_barrier", "triple_barrier", "triple_barrier", "forward_return")),
        "horizon": random.choice((3, 5, 10, 15, 20)),
        "up": barrier,
        "down": random.choice((barrier, 1.0)),
        "volatility_window": random.choice((20, 40, 60)),
    }


def decision(random: Random, short: bool) -> dict[str, Any]:
    return {
        "mode": "long_short" if short or random.random() < 0.25 else "long_flat",
        "enter": random.choice((0.02, 0.04, 0.06, 0.1)),
        "exit": random.choice((-0.05, -0.02, 0.0)),
        "stop": random.choice((None, None, 0.05, 0.08)),
    }


def _rules(random: Random, inputs: dict[str, tuple[str, list[str]]]) -> list[dict[str, Any]]:
    """One rule per combination of the outer terms, at most two inputs a rule; training finds the weights' true size."""
    leading = [name for name, (idea, _) in inputs.items() if idea != "regime"]
    regimes = [name for name, (idea, _) in inputs.items() if idea == "regime"]
    weight = random.choice((0.2, 0.3, 0.4, 0.5))
    shares = _fading(random, len(inputs[regimes[0]][1])) if regimes else []
    rules = []
    for name in leading:
        idea, terms = inputs[name]
        for term, size in zip(terms, _ladder(len(terms)), strict=True):
            then = round(weight * size * (1 if idea == "momentum" else -1), 2) + 0.0  # -0.0 becomes 0.0
            if not regimes:
                rules.append({"if": {name: term}, "then": then})
                continue
            held = inputs[regimes[0]][1]
            rules += [
                {"if": {name: term, regimes[0]: state}, "then": round(then * share, 2)}
                for state, share in zip(held, shares, strict=True)
            ]
    if len(leading) > 1 and random.random() < 0.5:
        rules += _agreement(inputs, leading, weight)
    return rules


def _agreement(inputs: dict[str, tuple[str, list[str]]], leading: list[str], weight: float) -> list[dict[str, Any]]:
    """Both at an end: what both say, or nothing where they differ."""
    ends = [
        [(inputs[name][1][end], (1 if end else -1) * (1 if inputs[name][0] == "momentum" else -1)) for end in (0, -1)]
        for name in leading[:2]
    ]
    return [
        {"if": {leading[0]: one, leading[1]: two}, "then": round(weight * (first + second) / 2, 2)}
        for (one, first), (two, second) in product(*ends)
    ]


def _ladder(count: int) -> list[float]:
    """-1 to +1 in equal steps."""
    return [2 * step / (count - 1) - 1 for step in range(count)]


def _fading(random: Random, count: int) -> list[float]:
    """The idea holds fully at one end of the regime and least at the other."""
    shares = [round(1 - 0.7 * step / (count - 1), 2) for step in range(count)]
    return shares if random.random() < 0.5 else shares[::-1]


def _words(picked: dict[str, tuple[str, dict[str, Any], list[str]]]) -> dict[str, str]:
    leading = [name for name, (idea, _, _) in picked.items() if idea != "regime"]
    regimes = [name for name, (idea, _, _) in picked.items() if idea == "regime"]
    ideas = list(dict.fromkeys(picked[name][0] for name in leading))
    title = " and ".join(ideas).capitalize() + " by " + " and ".join(leading)
    belief = "; ".join(_BELIEFS[idea] for idea in ideas)
    show = "show" if len(leading) > 1 else "shows"
    when = f", and how much depends on {regimes[0]}" if regimes else ""
    title += f" given {regimes[0]}" if regimes else ""
    return {
        "name": title[:80],
        "hypothesis": f"{belief[0].upper()}{belief[1:]}, as {' and '.join(leading)} {show}{when}.",
    }
