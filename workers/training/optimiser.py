"""Adam with decoupled weight decay (Kingma & Ba 2015; Loshchilov & Hutter 2019) on one flat vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FIRST, SECOND, EPSILON = 0.9, 0.999, 1e-8


@dataclass
class Adam:
    """Moments and step: everything that has to be in a checkpoint. `decay` is the rate times the mask of `Shape`."""

    learning_rate: float
    decay: Array
    m: Array
    v: Array
    step: int = 0

    def update(self, theta: Array, gradient: Array) -> None:
        """Move `theta` in place."""
        self.step += 1
        self.m *= FIRST
        self.m += (1.0 - FIRST) * gradient
        self.v *= SECOND
        self.v += (1.0 - SECOND) * gradient * gradient
        rate = self.learning_rate / (1.0 - FIRST**self.step)
        scale = np.sqrt(self.v / (1.0 - SECOND**self.step))
        scale += EPSILON
        theta -= rate * self.m / scale + self.learning_rate * self.decay * theta
