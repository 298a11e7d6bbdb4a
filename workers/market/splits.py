"""Purged, embargoed walk-forward folds (López de Prado, Advances in Financial Machine Learning, 2018, chapter 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_TRAIN, LEAST_VALIDATION, LEAST_TEST = 30, 10, 20


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


class TooFewBars(ValueError):
    """The bars do not suffice for the folds asked for; the message says what to change."""


@dataclass(frozen=True, eq=False)
class Fold:
    """Rows to fit on, rows to stop early on (both sorted index arrays, int64) and the bars to trade, a slice."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: slice


def folds(
    valid: NDArray[np.bool_], label_end: NDArray[np.int64], evaluation: Evaluation, validation_fraction: float
) -> list[Fold]:
    """Walk-forward folds in the order of time: train, then validation, then test.

    `valid` (n,): rows that may be fitted; `label_end` (n,): where their labels end, exclusive. The tests are contiguous
    and cover everything from `min_train_bars` after the first valid row to n. `expanding` fits on all before a test,
    `rolling` on the last `min_train_bars` of it. A row is dropped from training when its label ends less than `embargo`
    bars before the validation, from validation when less than `embargo` before the test. Raises `TooFewBars`.
    """
    n = len(valid)
    first = int(np.argmax(valid)) if valid.any() else n
    start = first + evaluation.min_train_bars
    needed = start + evaluation.folds * LEAST_TEST
    if n < needed:
        raise TooFewBars(
            f"{n} bars are too few: {first} warm up the indicators, {evaluation.min_train_bars} train and "
            f"{evaluation.folds} folds test at least {LEAST_TEST} each, {needed} in all; "
            "use more bars, fewer folds or a smaller min_train_bars"
        )
    edges = np.linspace(start, n, evaluation.folds + 1).round().astype(int)
    begin = [first if evaluation.scheme == "expanding" else int(edge) - evaluation.min_train_bars for edge in edges]
    return [
        _fold(
            valid, label_end, slice(begin[k], int(edges[k])), int(edges[k + 1]), evaluation.embargo, validation_fraction
        )
        for k in range(evaluation.folds)
    ]


def last_fold(
    valid: NDArray[np.bool_], label_end: NDArray[np.int64], evaluation: Evaluation, validation_fraction: float, cut: int
) -> Fold:
    """One fold that trades everything from bar `cut` on, by models of what came before. Raises `TooFewBars`."""
    if len(valid) - cut < LEAST_TEST:
        raise TooFewBars(f"only {len(valid) - cut} bars are held out, at least {LEAST_TEST} are needed")
    first = int(np.argmax(valid)) if valid.any() else len(valid)
    begin = first if evaluation.scheme == "expanding" else max(first, cut - evaluation.min_train_bars)
    past = slice(begin, max(begin, cut))
    return _fold(valid, label_end, past, len(valid), evaluation.embargo, validation_fraction)


def _fold(
    valid: NDArray[np.bool_], label_end: NDArray[np.int64], past: slice, stop: int, embargo: int, share: float
) -> Fold:
    rows = np.flatnonzero(valid[past]) + past.start
    before_test = rows[label_end[rows] + embargo <= past.stop]
    validation = before_test[len(before_test) - round(share * len(before_test)) :]
    if len(validation) < LEAST_VALIDATION:
        raise TooFewBars(_starved("validation", len(validation), LEAST_VALIDATION, past))
    train = before_test[label_end[before_test] + embargo <= validation[0]]
    if len(train) < LEAST_TRAIN:
        raise TooFewBars(_starved("training", len(train), LEAST_TRAIN, past))
    return Fold(train, validation, slice(past.stop, stop))


def _starved(what: str, rows: int, least: int, past: slice) -> str:
    return (
        f"only {rows} rows remain for {what} of bars {past.start} to {past.stop}, at least {least} are needed; "
        "use a larger min_train_bars, a shorter horizon or a smaller embargo"
    )
