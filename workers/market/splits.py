"""Purged, embargoed walk-forward folds (López de Prado, Advances in Financial Machine Learning, 2018, chapter 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Evaluation(Protocol):
    """What `folds` needs to know; `Strategy.evaluation` is one."""

    @property
    def folds(self) -> int: ...
    @property
    def scheme(self) -> Literal["expanding", "rolling"]: ...
    @property
    def embargo(self) -> int: ...
    @property
    def min_train_bars(self) -> int: ...


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows to fit on, rows to stop early on (both sorted index arrays, int64) and the bars to trade, a slice."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: slice


def folds(
    n: int, first_valid: int, label_end: NDArray[np.int64], evaluation: Evaluation, validation_fraction: float
) -> list[Fold]:
    raise NotImplementedError
