"""A trained model as something to read: its rules in words and its terms as curves, from the last fold's models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from workers.market import fuzzy
from workers.training.model import evaluate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.strategy import Strategy
    from workers.training.modelfile import Model


def rules_in_words(model: Model, strategy: Strategy, features: NDArray[np.float64]) -> list[dict[str, Any]]:
    """One entry per rule, "otherwise" last. `weight` is the mean consequent over seeds, `support` the share of the rows
    of `features` (n, f) on which the rule is the strongest, `strength` its mean share of the decision.
    """
    scaler, thetas = model.scalers[-1], model.thetas[-1]
    z = scaler.apply(features)
    weights = np.mean([model.shape.split(theta)["consequent"] for theta in thetas], axis=0)
    phi = np.mean([evaluate(model.shape, theta, z).phi for theta in thetas], axis=0)
    support = np.bincount(phi.argmax(axis=1), minlength=len(weights)) / len(z)
    heads = [
        "IF " + " AND ".join(f"{name} is {term}" for name, term in sorted(rule.when.items())) for rule in strategy.rules
    ]
    return [
        {
            "text": f"{head} {_side(weight)} {weight:+.2f}, fires on {share:.0%} of bars",
            "weight": float(weight),
            "support": float(share),
            "strength": float(strength),
        }
        for head, weight, share, strength in zip(
            [f"{head} THEN" for head in heads] + ["OTHERWISE"], weights, support, phi.mean(axis=0), strict=True
        )
    ]


def terms_as_curves(model: Model, strategy: Strategy) -> list[dict[str, Any]]:
    """Per input its terms with centre and width of the Gaussian in the indicator's own units, mean over seeds."""
    layout, scaler = model.shape.layout, model.scalers[-1]
    parts = [model.shape.split(theta) for theta in model.thetas[-1]]
    centre = np.mean([fuzzy.centres(layout, part["first"], part["gap"]) for part in parts], axis=0)
    width = np.mean([fuzzy.widths(part["width"]) for part in parts], axis=0)
    scale, location = scaler.scale[layout.term_input], scaler.location[layout.term_input]
    centres, widths = iter((centre * scale + location).tolist()), iter((width * scale).tolist())
    return [
        {"input": name, "terms": [{"name": term, "centre": next(centres), "width": next(widths)} for term in terms]}
        for name, terms in sorted(strategy.inputs.items())
    ]


def _side(weight: float) -> str:
    return "long" if weight > 0 else "short"
