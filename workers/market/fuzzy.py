"""Fuzzy terms and rules: ordered Gaussian terms per input, rules as an incidence matrix, HTSK defuzzification.

Everything stays in the log domain until the softmax, so a bar far from every term never divides 0 by 0. The strength
of a rule is the mean (not the sum) of its terms' log memberships: the HTSK form of Cui, Wu & Xu, "Curse of
Dimensionality for TSK Fuzzy Neural Networks" (2021). Beside the rules stands one constant antecedent, "otherwise",
which wins where no rule fits; without it the softmax would let the least unfitting rule speak on every bar.

Shapes: B rows, f inputs, K terms of all inputs together, R rules, and S = R + 1 strengths with "otherwise" last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MIN_GAP = 0.02
MIN_WIDTH = 0.05
OTHERWISE = -2.0  # log strength of "otherwise": a rule whose inputs are two widths off their terms is as strong


@dataclass(frozen=True, eq=False)
class Layout:
    """Who belongs to whom; fixed while parameters are trained."""

    counts: tuple[int, ...]  # terms of each input
    term_input: NDArray[np.int64]  # (K,) input of each term
    from_first: Array  # (f, K) 1 where a term belongs to an input
    from_gaps: Array  # (K - f, K) 1 where a term lies above a gap of its own input
    incidence: Array  # (K, R) 1 / length of the rule where it names the term, else 0

    @property
    def rules(self) -> int:
        return int(self.incidence.shape[1])

    @property
    def terms(self) -> int:
        return len(self.term_input)

    @classmethod
    def build(cls, counts: Sequence[int], rules: Sequence[Sequence[tuple[int, int]]]) -> Self:
        """`counts[j]` terms of input j; each rule a list of (input, position of the term)."""
        term_input = np.repeat(np.arange(len(counts)), counts)
        offsets = np.cumsum([0, *counts[:-1]])
        from_first = (term_input[None, :] == np.arange(len(counts))[:, None]).astype(np.float64)
        gap_term = np.array([k for k in range(len(term_input)) if k not in set(offsets.tolist())], dtype=np.int64)
        same = term_input[gap_term][:, None] == term_input[None, :]
        from_gaps = (same & (np.arange(len(term_input))[None, :] >= gap_term[:, None])).astype(np.float64)
        incidence = np.zeros((len(term_input), len(rules)))
        for column, rule in enumerate(rules):
            for position, term in rule:
                incidence[offsets[position] + term, column] = 1.0 / len(rule)
        return cls(tuple(counts), term_input, from_first, from_gaps, incidence)


def rule_terms(
    names: Sequence[str], terms: Sequence[Sequence[str]], antecedents: Sequence[Mapping[str, str]]
) -> list[list[tuple[int, int]]]:
    """Antecedents such as {"rsi14": "low"} as (input, term) positions. `ValueError` for an unknown name."""
    where = {name: position for position, name in enumerate(names)}
    result = []
    for antecedent in antecedents:
        unknown = [f"{name} is {term}" for name, term in antecedent.items() if term not in terms[where.get(name, 0)]]
        if unknown or not set(antecedent) <= set(where):
            raise ValueError(f"a rule names an unknown input or term: {', '.join(unknown) or dict(antecedent)}")
        result.append([(where[name], list(terms[where[name]]).index(term)) for name, term in antecedent.items()])
    return result


def softplus(x: Array) -> Array:
    result: Array = np.logaddexp(0.0, x)
    return result


def softplus_inverse(y: Array) -> Array:
    """For y > 0; exact for large y too, where exp(y) would overflow."""
    result: Array = y + np.log(-np.expm1(-y))
    return result


def sigmoid(x: Array) -> Array:
    result: Array = 0.5 * (1.0 + np.tanh(0.5 * x))
    return result


def centres(layout: Layout, first: Array, gap: Array) -> Array:
    """Centres (K,) from each input's first centre (f,) and unconstrained gaps (K − f,): always in order."""
    result: Array = first @ layout.from_first + (softplus(gap) + MIN_GAP) @ layout.from_gaps
    return result


def widths(width: Array) -> Array:
    """Positive widths (K,) from unconstrained ones."""
    return softplus(width) + MIN_WIDTH


def initial_terms(layout: Layout, z: Array) -> tuple[Array, Array, Array]:
    """Unconstrained `first`, `gap`, `width` with centres at evenly spaced quantiles of z (n, f), the training part.

    A width is half the mean distance to the neighbouring centres, so neighbours cross at a membership of 0.6.
    """
    first, gaps, spread = [], [], []
    for position, count in enumerate(layout.counts):
        levels = (np.arange(count) + 0.5) / count
        at = np.quantile(z[:, position], levels)
        distance = np.maximum(np.diff(at), 0.2)
        first.append(at[0])
        gaps.append(distance - MIN_GAP)
        around = np.concatenate([distance[:1], distance, distance[-1:]]) if count > 1 else np.full(2, 2.0)
        spread.append(np.maximum((around[:-1] + around[1:]) / 4.0, 0.2) - MIN_WIDTH)
    gap = softplus_inverse(np.concatenate(gaps)) if gaps else np.zeros(0)
    return np.array(first), gap, softplus_inverse(np.concatenate(spread))


def distances(layout: Layout, z: Array, centre: Array, width: Array) -> Array:
    """Distance of each row from each term in widths, (B, K); the log membership is −d² / 2."""
    result: Array = (z[:, layout.term_input] - centre) / width
    return result


def firing(layout: Layout, log_membership: Array) -> Array:
    """Normalised firing strengths (B, S): they are positive and add up to 1 in every row."""
    strength = np.full((len(log_membership), layout.rules + 1), OTHERWISE)
    np.matmul(log_membership, layout.incidence, out=strength[:, :-1])
    strength -= strength.max(axis=1, keepdims=True)
    np.exp(strength, out=strength)
    strength /= strength.sum(axis=1, keepdims=True)
    return strength
