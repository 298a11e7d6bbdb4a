"""What a training is going to do: everything that is fixed before its first epoch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workers.job import InvalidInput
from workers.market.bars import BadBars, Bars
from workers.market.fuzzy import Layout, rule_terms
from workers.strategy import InvalidStrategy, Strategy, parse, strategy_sha256
from workers.training.model import Shape
from workers.training.version import ENGINE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.job import Job
    from workers.strategy.models import Training


@dataclass(frozen=True)
class Plan:
    """`identity` holds the hashes of strategy and bars, the seed and the engine: what a checkpoint must agree with."""

    shape: Shape
    consequents: NDArray[np.float64]
    training: Training
    folds: int
    seed: int
    identity: dict[str, Any]

    @property
    def fits(self) -> int:
        """Models to train: one per fold and seed, in that order."""
        return self.folds * self.training.seeds

    @property
    def units(self) -> int:
        return self.fits * self.training.epochs

    def place(self, fit: int) -> tuple[int, int]:
        """Fold and model seed of the fit with that number."""
        return divmod(fit, self.training.seeds)


def load_inputs(job: Job) -> tuple[Strategy, Bars, str]:
    """Strategy, bars and the bars' SHA-256 of a job. Raises `InvalidInput`."""
    try:
        strategy = parse(dict(job.spec["strategy"]))
        payload = job.files["bars"].read_bytes()
        return strategy, Bars.from_bytes(payload), hashlib.sha256(payload).hexdigest()
    except KeyError as error:
        raise InvalidInput(f"the job lacks {error}: it needs a strategy in its spec and the file bars") from error
    except (InvalidStrategy, BadBars) as error:
        raise InvalidInput(str(error)) from error


def shape_of(strategy: Strategy) -> Shape:
    """The parameters a strategy's model has; inputs in alphabetical order, as in `Prepared`."""
    names = sorted(strategy.inputs)
    terms = [list(strategy.inputs[name]) for name in names]
    rules = rule_terms(names, terms, [rule.when for rule in strategy.rules])
    layout = Layout.build([len(words) for words in terms], rules)
    return Shape(layout, strategy.network.hidden if strategy.network else 0)


def plan_of(strategy: Strategy, data_sha256: str, folds: int, seed: int) -> Plan:
    identity = {"strategy": strategy_sha256(strategy), "data": data_sha256, "seed": seed, "engine": ENGINE}
    consequents = np.array([rule.then for rule in strategy.rules], dtype=np.float64)
    return Plan(shape_of(strategy), consequents, strategy.training, folds, seed, identity)
