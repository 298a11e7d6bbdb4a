"""One model being trained: mini-batches, early stopping on the validation block, the best weights kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workers.training.model import Scaler, initial, loss_and_gradient, mean_squared_error
from workers.training.optimiser import Adam

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.market.splits import Fold
    from workers.training.plan import Plan
    from workers.training.prepare import Prepared

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class FoldData:
    """Scaled rows to fit on and to stop early on; the scaler saw the first alone."""

    scaler: Scaler
    z: Array
    y: Array
    z_validation: Array
    y_validation: Array

    @classmethod
    def of(cls, prepared: Prepared, fold: Fold) -> FoldData:
        scaler = Scaler.fit(prepared.features[fold.train])
        z = scaler.apply(prepared.features[fold.train])
        z_validation = scaler.apply(prepared.features[fold.validation])
        return cls(scaler, z, prepared.target[fold.train], z_validation, prepared.target[fold.validation])


@dataclass
class Fit:
    """Everything that changes while one model is trained; `epoch` counts those completed."""

    theta: Array
    adam: Adam
    generator: np.random.Generator
    best: Array
    best_loss: float
    best_epoch: int = 0
    epoch: int = 0
    loss: float | None = None
    validation_loss: float | None = None
    diverged: bool = False

    def history(self, fold: int, seed: int) -> dict[str, Any]:
        """A finished fit in numbers, JSON-ready."""
        return {
            "fold": fold,
            "seed": seed,
            "epochs": self.epoch,
            "best_epoch": self.best_epoch,
            "best_validation_loss": self.best_loss,
            "loss": self.loss,
            "validation_loss": self.validation_loss,
            "diverged": self.diverged,
        }


def generator_of(plan: Plan, fold: int, seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([plan.seed, fold, seed])))


def adam_of(plan: Plan) -> Adam:
    settings, size = plan.training, plan.shape.size
    return Adam(settings.learning_rate, settings.weight_decay * plan.shape.decayed, np.zeros(size), np.zeros(size))


def begin(plan: Plan, data: FoldData, fold: int, seed: int) -> Fit:
    generator = generator_of(plan, fold, seed)
    theta = initial(plan.shape, data.z, data.y, plan.consequents, generator)
    loss = mean_squared_error(plan.shape, theta, data.z_validation, data.y_validation)
    return Fit(theta, adam_of(plan), generator, theta.copy(), loss)


def run_epoch(plan: Plan, data: FoldData, fit: Fit) -> None:
    """One pass over the training rows in random order, then the validation block."""
    rows, batch = len(data.y), plan.training.batch_size
    order = fit.generator.permutation(rows)
    z, y = data.z[order], data.y[order]
    gradient = np.empty_like(fit.theta)
    total = 0.0
    # A rate that is far too high may overflow; that is noticed below and reported as divergence.
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, rows, batch):
            part = slice(start, start + batch)
            total += loss_and_gradient(plan.shape, fit.theta, z[part], y[part], gradient) * len(y[part])
            fit.adam.update(fit.theta, gradient)
        validation = mean_squared_error(plan.shape, fit.theta, data.z_validation, data.y_validation)
    fit.epoch += 1
    _judge(fit, total / rows, validation)


def _judge(fit: Fit, loss: float, validation: float) -> None:
    fit.loss = loss if math.isfinite(loss) else None
    fit.validation_loss = validation if math.isfinite(validation) else None
    if fit.loss is None or fit.validation_loss is None or not np.isfinite(fit.theta).all():
        fit.diverged = True
    elif validation < fit.best_loss:
        fit.best_loss, fit.best_epoch = validation, fit.epoch
        fit.best[:] = fit.theta


def is_finished(plan: Plan, fit: Fit) -> bool:
    patience = plan.training.patience
    tired = patience is not None and fit.epoch - fit.best_epoch >= patience
    return fit.diverged or tired or fit.epoch >= plan.training.epochs
