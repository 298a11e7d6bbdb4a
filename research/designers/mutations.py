"""One structured change to a strategy that was not rejected. `CHANGES` names the kinds."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

from research.designers import fresh
from research.designers.ingredients import INGREDIENTS, choose, identifier, themes
from workers.market.indicators import FUNCTIONS

if TYPE_CHECKING:
    from random import Random

    from research.designers.base import Brief

SEPARATOR = " — "


def mutate(random: Random, parent: dict[str, Any], brief: Brief, kind: str) -> dict[str, Any]:
    """A copy of `parent` with a change of a `kind`, on the brief's symbol and timeframe; its name says which."""
    spec = copy.deepcopy(parent)
    spec["data"] = {"symbol": brief.symbol, "timeframe": brief.timeframe}
    words = CHANGES[kind](random, spec, "short" in themes(brief.text))
    base = str(spec["name"]).split(SEPARATOR)[0]
    spec["name"] = base[: 80 - len(SEPARATOR) - len(words)] + SEPARATOR + words
    return spec


def period(random: Random, spec: dict[str, Any], _: bool) -> str:
    """A whole parameter times 0.6 to 1.6; the indicator is renamed, since its name tells its parameters."""
    name = random.choice(sorted(spec["indicators"]))
    indicator = spec["indicators"][name]
    known = FUNCTIONS[indicator["function"]].params
    params = {key: indicator.get("params", {}).get(key, param.default) for key, param in known.items()}
    key = random.choice([key for key, param in known.items() if param.whole])
    params[key] = min(max(round(params[key] * random.uniform(0.6, 1.6)), int(known[key].low)), int(known[key].high))
    indicator["params"] = params
    new = identifier(indicator)
    if new != name and new not in spec["indicators"]:
        _rename(spec, name, new)
    return f"{indicator['function']} {key} {params[key]}"


def swap(random: Random, spec: dict[str, Any], _: bool) -> str:
    """An indicator for another that stands for the same idea; its terms and rules stay."""
    name = random.choice(sorted(spec["indicators"]))
    old = spec["indicators"][name]
    ideas = [one.idea for one in INGREDIENTS if one.function == old["function"]]
    if not ideas:  # given by a user, and not one of ours
        return period(random, spec, _)
    new, indicator, _terms = choose(random, ideas[0], frozenset()).pick(random)
    if new in spec["indicators"]:
        return period(random, spec, _)
    spec["indicators"][name] = indicator
    _rename(spec, name, new)
    return f"{new} for {name}"


def weight(random: Random, spec: dict[str, Any], _: bool) -> str:
    """The consequent of one rule moved; without rules, the network changes instead."""
    if not spec.get("rules"):
        return network(random, spec, _)
    position = random.randrange(len(spec["rules"]))
    rule = spec["rules"][position]
    rule["then"] = round(min(max(rule["then"] + random.uniform(-0.3, 0.3), -1.0), 1.0), 2)
    return f"rule {position + 1} to {rule['then']:+.2f}"


def labels(random: Random, spec: dict[str, Any], _: bool) -> str:
    spec["labels"] = fresh.labels(random)
    return f"labels over {spec['labels']['horizon']} bars"


def decision(random: Random, spec: dict[str, Any], short: bool) -> str:
    spec["decision"] = fresh.decision(random, short)
    return f"enters at {spec['decision']['enter']:g}"


def network(random: Random, spec: dict[str, Any], _: bool) -> str:
    if spec.get("network") and spec.get("rules"):
        spec["network"] = None
        return "no network"
    spec["network"] = {"hidden": random.choice((4, 6, 8, 12))}
    return f"network of {spec['network']['hidden']}"


def learning(random: Random, spec: dict[str, Any], _: bool) -> str:
    rate = random.choice((0.005, 0.01, 0.02, 0.03, 0.05))
    spec["training"] = {**spec.get("training", {}), "learning_rate": rate}
    return f"learning rate {rate:g}"


CHANGES = {
    "period": period, "swap": swap, "weight": weight, "labels": labels, "decision": decision, "network": network,
    "learning": learning,
}  # fmt: skip


def _rename(spec: dict[str, Any], old: str, new: str) -> None:
    """In the rules, the name and the hypothesis; whole words only, since one name may begin another."""
    for text in ("name", "hypothesis"):
        spec[text] = re.sub(rf"\b{re.escape(old)}\b", new, spec[text])
    for part in ("indicators", "inputs"):
        spec[part] = {new if name == old else name: value for name, value in spec[part].items()}
    for rule in spec.get("rules", []):
        rule["if"] = {new if name == old else name: term for name, term in rule["if"].items()}
