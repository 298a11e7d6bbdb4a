"""The neuro-fuzzy model: score of a bar from its scaled inputs, and the hand-derived gradient of its loss.

score = rules(z) + sigmoid(gate) * network(memberships(z)); loss = mean squared difference from the target.
All parameters of one model lie in one flat float64 vector `theta`, so the optimiser and a checkpoint see one array.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from workers.market import fuzzy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_ROWS = 65_536


@dataclass(frozen=True)
class Shape:
    """What the parameters are: the fuzzy layout, and the hidden units of the network (0: none)."""

    layout: fuzzy.Layout
    hidden: int = 0

    @cached_property
    def parts(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every parameter, in the order of `theta`."""
        inputs, terms = len(self.layout.counts), self.layout.terms
        parts: dict[str, tuple[int, ...]] = {
            "first": (inputs,),
            "gap": (terms - inputs,),
            "width": (terms,),
            "consequent": (self.layout.rules + 1,),
        }
        if self.hidden:
            hidden = self.hidden
            parts |= {"weights_in": (terms, hidden), "bias_in": (hidden,), "weights_out": (hidden,), "bias_out": (1,)}
            parts["gate"] = (1,)
        return parts

    @cached_property
    def size(self) -> int:
        return sum(prod(shape) for shape in self.parts.values())

    @cached_property
    def decayed(self) -> Array:
        """1 for parameters that weight decay pulls to 0 (consequents and weights), 0 for terms, biases and the gate."""
        mask = np.zeros(self.size)
        for name, view in self.split(mask).items():
            view[...] = name in {"consequent", "weights_in", "weights_out"}
        return mask

    def split(self, theta: Array) -> dict[str, Array]:
        """Views of `theta` by name."""
        views, start = {}, 0
        for name, shape in self.parts.items():
            count = prod(shape)
            views[name] = theta[start : start + count].reshape(shape)
            start += count
        return views


@dataclass(frozen=True)
class Scaler:
    """Per input: (x − location) / scale, limited to ±6, fitted on the training part alone."""

    location: Array
    scale: Array

    @classmethod
    def fit(cls, features: Array) -> Scaler:
        deviation = features.std(axis=0)
        return cls(features.mean(axis=0), np.where(deviation > 1e-12, deviation, 1.0))

    def apply(self, features: Array) -> Array:
        """Scaled rows, shape as given; NaN stays NaN."""
        return np.clip((features - self.location) / self.scale, -6.0, 6.0)


def initial(shape: Shape, z: Array, y: Array, consequents: Array, generator: np.random.Generator) -> Array:
    """A first `theta`: terms at quantiles of z (n, f), consequents as designed, "otherwise" at the mean of y."""
    theta = np.zeros(shape.size)
    part = shape.split(theta)
    part["first"][:], part["gap"][:], part["width"][:] = fuzzy.initial_terms(shape.layout, z)
    part["consequent"][:-1] = consequents
    part["consequent"][-1] = y.mean()
    # A little noise, so that models of different seeds differ even without a network.
    part["consequent"] += 0.02 * generator.standard_normal(shape.layout.rules + 1)
    if shape.hidden:
        part["weights_in"][:] = generator.standard_normal((shape.layout.terms, shape.hidden)) / shape.layout.terms**0.5
        part["weights_out"][:] = 0.1 * generator.standard_normal(shape.hidden) / shape.hidden**0.5
        part["gate"][:] = -1.0
    return theta


def loss_and_gradient(shape: Shape, theta: Array, z: Array, y: Array, gradient: Array) -> float:
    """Mean squared error of one batch z (B, f), y (B,); its gradient is written into `gradient`, like `theta`."""
    layout, p, g = shape.layout, shape.split(theta), shape.split(gradient)
    centre, width = fuzzy.centres(layout, p["first"], p["gap"]), fuzzy.widths(p["width"])
    d = fuzzy.distances(layout, z, centre, width)
    log_membership = -0.5 * d * d
    phi = fuzzy.firing(layout, log_membership)
    rules = phi @ p["consequent"]
    score = rules
    if shape.hidden:
        network = _Network(p, log_membership)
        score = rules + network.open * network.value
    error = score - y
    up = error * (2.0 / len(y))
    g["consequent"][:] = up @ phi
    strength = (phi[:, :-1] * (p["consequent"][:-1] - rules[:, None])) * up[:, None]
    to_log = strength @ layout.incidence.T
    if shape.hidden:
        to_log += network.backward(up, g)
    _terms_backward(layout, p, g, d, width, to_log)
    return float(error @ error) / len(y)


def _terms_backward(
    layout: fuzzy.Layout, p: dict[str, Array], g: dict[str, Array], d: Array, width: Array, to_log: Array
) -> None:
    """From d loss / d log membership (B, K) to centres and widths: log membership = −d² / 2, d = (z − c) / w."""
    moved = to_log * d
    to_centre = moved.sum(axis=0) / width
    np.matmul(layout.from_first, to_centre, out=g["first"])
    g["gap"][:] = (layout.from_gaps @ to_centre) * fuzzy.sigmoid(p["gap"])
    g["width"][:] = (moved * d).sum(axis=0) / width * fuzzy.sigmoid(p["width"])


class _Network:
    """One hidden layer of tanh over the memberships, and its derivative."""

    def __init__(self, p: dict[str, Array], log_membership: Array) -> None:
        self.p = p
        self.membership = np.exp(log_membership)
        self.hidden = np.tanh(self.membership @ p["weights_in"] + p["bias_in"])
        self.value: Array = self.hidden @ p["weights_out"] + p["bias_out"][0]
        self.open = float(fuzzy.sigmoid(p["gate"])[0])

    def backward(self, up: Array, g: dict[str, Array]) -> Array:
        """Writes the network's gradients; returns d loss / d log membership (B, K)."""
        g["gate"][0] = (up @ self.value) * self.open * (1.0 - self.open)
        out = up * self.open
        g["weights_out"][:] = out @ self.hidden
        g["bias_out"][0] = out.sum()
        inner = out[:, None] * self.p["weights_out"] * (1.0 - self.hidden * self.hidden)
        g["weights_in"][:] = self.membership.T @ inner
        g["bias_in"][:] = inner.sum(axis=0)
        result: Array = (inner @ self.p["weights_in"].T) * self.membership
        return result


@dataclass(frozen=True)
class Scores:
    """`score` = `rules` + gated network, each (n,), NaN where an input is NaN; `phi` (n, R + 1) firing strengths."""

    score: Array
    rules: Array
    phi: Array


def evaluate(shape: Shape, theta: Array, z: Array) -> Scores:
    """Scores of any number of rows z (n, f)."""
    blocks = [_evaluate_block(shape, theta, z[start : start + _ROWS]) for start in range(0, max(len(z), 1), _ROWS)]
    return Scores(*(np.concatenate(column) for column in zip(*blocks, strict=True)))


def _evaluate_block(shape: Shape, theta: Array, z: Array) -> tuple[Array, Array, Array]:
    p = shape.split(theta)
    centre = fuzzy.centres(shape.layout, p["first"], p["gap"])
    d = fuzzy.distances(shape.layout, z, centre, fuzzy.widths(p["width"]))
    log_membership = -0.5 * d * d
    phi = fuzzy.firing(shape.layout, log_membership)
    rules = phi @ p["consequent"]
    if not shape.hidden:
        return rules, rules, phi
    network = _Network(p, log_membership)
    return rules + network.open * network.value, rules, phi


def mean_squared_error(shape: Shape, theta: Array, z: Array, y: Array) -> float:
    error = evaluate(shape, theta, z).score - y
    return float(error @ error) / len(y)
