"""The curves of a training: loss and validation loss of every model, one after the other along the epochs. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from research.dashboard.selectors.charts_path import line, percent
from research.dashboard.selectors.charts_plot import Band, Line, Mark, Plot, edge_of, x_ticks, y_ticks
from research.dashboard.selectors.charts_scale import Scale, scale_of

if TYPE_CHECKING:
    from collections.abc import Sequence

LOG_ABOVE = 12.0
MOST_LABELLED_FOLDS = 10


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch of one model, told by `operation`; a loss is None where it was no number."""

    operation: int
    unit: int
    fold: int
    seed: int
    epoch: int
    loss: float | None
    validation_loss: float | None


@dataclass(frozen=True, slots=True)
class Fit:
    """One model; `start` is how many epochs were trained before it, `best` its lowest validation loss."""

    fold: int
    seed: int
    start: int
    epochs: list[Epoch] = field(default_factory=list)

    @property
    def length(self) -> int:
        return max((one.epoch for one in self.epochs), default=0)

    @property
    def best(self) -> Epoch | None:
        known = [one for one in self.epochs if one.validation_loss is not None]
        return min(known, key=lambda one: one.validation_loss or 0.0, default=None)

    @property
    def last(self) -> Epoch:
        return self.epochs[-1]


def epochs_of(rows: Sequence[tuple[int, int, dict[str, Any]]]) -> list[Epoch]:
    """From (operation, unit, values). Of an epoch that was done twice, the later operation counts."""
    newest: dict[int, Epoch] = {}
    for operation, unit, values in sorted(rows, key=lambda row: row[:2]):
        fold, seed, epoch = (int(values.get(name) or 0) for name in ("fold", "seed", "epoch"))
        newest[unit] = Epoch(operation, unit, fold, seed, epoch, values.get("loss"), values.get("validation_loss"))
    return [newest[unit] for unit in sorted(newest)]


def fits_of(epochs: Sequence[Epoch]) -> list[Fit]:
    """The models in the order in which they were trained."""
    fits: list[Fit] = []
    start = 0
    for (fold, seed), own in groupby(epochs, key=lambda one: (one.fold, one.seed)):
        fits.append(Fit(fold, seed, start, list(own)))
        start += fits[-1].length
    return fits


def training_plot(fits: Sequence[Fit], went_on: Sequence[int] = ()) -> Plot:
    """The chart of at least one model; `went_on` are operations that continued another: their first epoch is marked."""
    total = fits[-1].start + fits[-1].length
    across = Scale(0.0, float(max(total, 1)))
    losses = [value for fit in fits for one in fit.epochs for value in (one.loss, one.validation_loss)]
    up = scale_of(losses, log_above=LOG_ABOVE)
    xs, ys, validation = _columns(fits, across, up)
    return Plot(
        "training-curve", "Loss of every model by epoch", _text(fits, total),
        x_ticks(across, [(value, f"{value:,.0f}") for value in across.ticks(8)]), y_ticks(up),
        [Line(line(xs, ys), "plot-line series-2 thin", "training loss"),
         Line(line(xs, validation), "plot-line series-1", "validation loss")],
        f"mean squared error{', logarithmic' if up.logarithmic else ''}",
        [*_models(fits, across), *_hand_overs(fits, across, went_on)], _bands(fits, across), _points(fits, across),
    )  # fmt: skip


_Places = list[float | None]


def _columns(fits: Sequence[Fit], across: Scale, up: Scale) -> tuple[_Places, _Places, _Places]:
    """Places with a gap after every model, so that no line joins two."""
    xs: _Places = []
    ys: _Places = []
    validation: _Places = []
    for fit in fits:
        xs += [*(across.at(fit.start + one.epoch) for one in fit.epochs), None]
        ys += [*(up.at(one.loss) for one in fit.epochs), None]
        validation += [*(up.at(one.validation_loss) for one in fit.epochs), None]
    return xs, ys, validation


def _bands(fits: Sequence[Fit], across: Scale) -> list[Band]:
    """Every fold as a band; labels only while they have room."""
    bands = []
    folds = {fit.fold for fit in fits}
    for fold, group in groupby(fits, key=lambda fit: fit.fold):
        own = list(group)
        at, end = (across.at(value) or 0.0 for value in (own[0].start, own[-1].start + own[-1].length))
        text = f"fold {fold + 1}" if len(folds) <= MOST_LABELLED_FOLDS and end - at > 0.06 else ""
        bands.append(Band(percent(at), percent(end - at), text))
    return bands


def _models(fits: Sequence[Fit], across: Scale) -> list[Mark]:
    """Where a model other than the first begins, unless its fold does."""
    starts = [fit.start for before, fit in pairwise(fits) if before.fold == fit.fold]
    return [Mark(percent(across.at(start) or 0.0), "", "faint") for start in starts]


def _hand_overs(fits: Sequence[Fit], across: Scale, went_on: Sequence[int]) -> list[Mark]:
    first: dict[int, float] = {}
    for fit in fits:
        for one in fit.epochs:
            first.setdefault(one.operation, fit.start + one.epoch - 1)
    places = [(operation, across.at(first[operation]) or 0.0) for operation in went_on if operation in first]
    return [Mark(percent(at), f"operation {operation} goes on", "warn", edge_of(at)) for operation, at in places]


def _points(fits: Sequence[Fit], across: Scale) -> dict[str, Any]:
    epochs = [(fit, one) for fit in fits for one in fit.epochs]
    return {
        "x": [round(across.at(fit.start + one.epoch) or 0.0, 5) for fit, one in epochs],
        "label": [f"fold {one.fold + 1}, model {one.seed + 1}, epoch {one.epoch}" for _, one in epochs],
        "series": [
            {"name": "validation", "value": [_say(one.validation_loss) for _, one in epochs]},
            {"name": "training", "value": [_say(one.loss) for _, one in epochs]},
        ],
    }


def _say(loss: float | None) -> str:
    return "no number" if loss is None else f"{loss:.4f}"


def _text(fits: Sequence[Fit], total: int) -> str:
    best = [fit.best.validation_loss for fit in fits if fit.best and fit.best.validation_loss is not None]
    lowest = f" The lowest validation loss of a model lies between {min(best):.4f} and {max(best):.4f}." if best else ""
    models = "1 model" if len(fits) == 1 else f"{len(fits)} models"
    return f"{models}, {total:,} epochs. One after the other: training loss and validation loss by epoch.{lowest}"
