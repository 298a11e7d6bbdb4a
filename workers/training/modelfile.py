"""The trained models of all folds and seeds as one file, and back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workers.job import InvalidInput
from workers.training.model import Scaler, Shape, evaluate
from workers.training.plan import shape_of
from workers.training.tensors import BadFile, expect, pack, unpack
from workers.training.version import ENGINE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.strategy import Strategy
    from workers.training.prepare import Prepared

_FORM = "model 1"


@dataclass(frozen=True)
class Model:
    """`scalers[fold]` and `thetas[fold][seed]`; `identity` names strategy, data, seed and engine."""

    shape: Shape
    scalers: list[Scaler]
    thetas: list[list[NDArray[np.float64]]]
    identity: dict[str, Any]

    def scores(self, fold: int, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores of one fold's models, shape (seeds, n), NaN where a feature is missing."""
        z = self.scalers[fold].apply(features)
        return np.stack([evaluate(self.shape, theta, z).score for theta in self.thetas[fold]])

    def out_of_sample(self, prepared: Prepared) -> NDArray[np.float64]:
        """Score (n,) of each bar in a fold's test part, the mean over that fold's models; NaN elsewhere."""
        result = np.full(len(prepared.features), np.nan)
        for number, fold in enumerate(prepared.folds):
            result[fold.test] = self.scores(number, prepared.features[fold.test]).mean(axis=0)
        return result

    @property
    def sha256(self) -> str:
        """Over the parameters of all folds and seeds, in order: equal exactly when all bits are equal."""
        running = hashlib.sha256()
        for scaler, thetas in zip(self.scalers, self.thetas, strict=True):
            for array in (scaler.location, scaler.scale, *thetas):
                running.update(array.tobytes())
        return running.hexdigest()

    def to_bytes(self) -> bytes:
        arrays: dict[str, NDArray[np.float64]] = {}
        for fold, (scaler, thetas) in enumerate(zip(self.scalers, self.thetas, strict=True)):
            arrays |= {f"fold{fold}.location": scaler.location, f"fold{fold}.scale": scaler.scale}
            for seed, theta in enumerate(thetas):
                parts = self.shape.split(theta)
                arrays |= {f"fold{fold}.seed{seed}.{name}": part for name, part in parts.items()}
        seeds = len(self.thetas[0])
        return pack(arrays, {"form": _FORM, "identity": self.identity, "folds": len(self.scalers), "seeds": seeds})


def read_model(payload: bytes, strategy: Strategy, folds: int, identity: dict[str, Any]) -> Model:
    """The model of `to_bytes`, checked against the strategy: names, shapes, types, finiteness, hashes in `identity`.

    Raises `workers.job.InvalidInput`.
    """
    try:
        arrays, about = unpack(payload)
        stored = about.get("identity")
        if about.get("form") != _FORM or not isinstance(stored, dict):
            raise BadFile("it is no model of this engine")
        other = [name for name, value in identity.items() if stored.get(name) != value]
        if other:
            raise BadFile(f"it was trained with another {', '.join(other)}")
        return _model(arrays, strategy, folds, stored)
    except BadFile as error:
        raise InvalidInput(f"The model file cannot be used: {error}. Train the strategy again.") from error


def _model(arrays: dict[str, Any], strategy: Strategy, folds: int, identity: dict[str, Any]) -> Model:
    shape, seeds, inputs = shape_of(strategy), strategy.training.seeds, len(strategy.inputs)
    shapes: dict[str, tuple[int, ...]] = {}
    for fold in range(folds):
        shapes |= {f"fold{fold}.location": (inputs,), f"fold{fold}.scale": (inputs,)}
        for seed in range(seeds):
            shapes |= {f"fold{fold}.seed{seed}.{name}": size for name, size in shape.parts.items()}
    expect(arrays, shapes)
    scalers = [Scaler(arrays[f"fold{fold}.location"], arrays[f"fold{fold}.scale"]) for fold in range(folds)]
    thetas = [
        [
            np.concatenate([arrays[f"fold{fold}.seed{seed}.{name}"].ravel() for name in shape.parts])
            for seed in range(seeds)
        ]
        for fold in range(folds)
    ]
    return Model(shape, scalers, thetas, identity)


def required_identity(strategy_sha256: str, data_sha256: str) -> dict[str, Any]:
    """What a backtest asks of a model file."""
    return {"strategy": strategy_sha256, "data": data_sha256, "engine": ENGINE}
