"""How good the models are on bars they never saw, and whether that is more than noise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from workers.training.model import evaluate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.training.modelfile import Model
    from workers.training.prepare import Prepared

    Array = NDArray[np.float64]


def standard_error(values: Array, lag: int) -> float:
    """Of the mean of a series with memory up to `lag` (Newey & West 1987); never below a third of the plain one."""
    n = len(values)
    if n < 2:
        return math.inf
    centred = values - values.mean()
    plain = float(centred @ centred) / n
    total = plain
    for k in range(1, min(lag, n - 1) + 1):
        total += 2.0 * (1.0 - k / (lag + 1.0)) * float(centred[k:] @ centred[:-k]) / n
    return math.sqrt(max(total, plain / 9.0) / n)


def assess(model: Model, prepared: Prepared) -> dict[str, Any]:
    """Scores per fold, and all of them against the base rate (the mean target of the training part). JSON-ready."""
    folds, gains, scores, targets, shares = [], [], [], [], []
    for number, fold in enumerate(prepared.folds):
        rows = np.arange(fold.test.start, fold.test.stop)
        rows = rows[prepared.valid[rows]]
        if not len(rows):
            continue
        each = model.scores(number, prepared.features[rows])
        score, target = each.mean(axis=0), prepared.target[rows]
        base = float(prepared.target[fold.train].mean())
        gains.append((target - base) ** 2 - (target - score) ** 2)
        scores.append(score)
        targets.append(target)
        shares.append(rule_share(model, number, prepared.features[rows]))
        sizes = {"train": len(fold.train), "validation": len(fold.validation), "test": len(rows)}
        folds.append({"fold": number, **sizes, **_fold_scores(each, target, base, prepared, fold.train, rows)})
    lag = int((prepared.label_end - np.arange(len(prepared.label_end)))[prepared.valid].max(initial=1))
    total = _against_base(np.concatenate(gains or [np.zeros(0)]), targets, scores, lag)
    return {"folds": folds, "base_rate": total, "rule_share": float(np.mean(shares)) if shares else 1.0}


def _fold_scores(
    each: Array, target: Array, base: float, prepared: Prepared, train: NDArray[np.int64], rows: NDArray[np.int64]
) -> dict[str, Any]:
    losses = ((each - target) ** 2).mean(axis=1)
    base_loss, loss = float(((target - base) ** 2).mean()), float(((each.mean(axis=0) - target) ** 2).mean())
    counts = np.bincount(prepared.label[train] + 1, minlength=3)
    side, label = np.sign(each.mean(axis=0)), np.sign(prepared.label[rows])
    return {
        "loss": loss,
        "base_loss": base_loss,
        "skill": 1.0 - loss / base_loss if base_loss > 0 else 0.0,
        "accuracy": float((side == label).mean()),
        "majority_accuracy": float((label == int(counts.argmax()) - 1).mean()),
        "seed_losses": [float(value) for value in losses],
        "seed_deviation": float(losses.std()),
    }


def _against_base(gain: Array, targets: list[Array], scores: list[Array], lag: int) -> dict[str, Any]:
    """`gain` is by how much the squared error is below the base rate's; `z` that in standard errors."""
    if len(gain) < 2:
        return {"rows": len(gain), "gain": 0.0, "standard_error": None, "z": 0.0, "skill": 0.0, "score_deviation": 0.0,
                "target_deviation": 0.0}  # fmt: skip
    error, target, score = standard_error(gain, lag), np.concatenate(targets), np.concatenate(scores)
    base_loss = float((gain + (target - score) ** 2).mean())
    return {
        "rows": len(gain),
        "gain": float(gain.mean()),
        "standard_error": error,
        "z": float(gain.mean()) / error if error > 0 else 0.0,
        "skill": float(gain.mean()) / base_loss if base_loss > 0 else 0.0,
        "score_deviation": float(score.std()),
        "target_deviation": float(target.std()),
    }


def rule_share(model: Model, fold: int, features: Array) -> float:
    """Share (0 to 1) of the scores' movement that the rules alone make: var(rules) / (var(rules) + var(network))."""
    z, shares = model.scalers[fold].apply(features), []
    for theta in model.thetas[fold]:
        scores = evaluate(model.shape, theta, z)
        rules, network = float(np.var(scores.rules)), float(np.var(scores.score - scores.rules))
        shares.append(rules / (rules + network) if rules + network > 0 else 1.0)
    return float(np.mean(shares))
