"""The training curve: models one after the other, hand-overs marked, gaps where a loss was no number."""

from __future__ import annotations

from typing import Any

from research.dashboard.selectors.charts_training import epochs_of, fits_of, training_plot

Row = tuple[int, int, dict[str, Any]]


def row(operation: int, unit: int, fold: int, seed: int, epoch: int, **losses: float) -> Row:
    return operation, unit, {"fold": float(fold), "seed": float(seed), "epoch": float(epoch), **losses}


def model(operation: int, fold: int, seed: int, epochs: int, start: int) -> list[Row]:
    return [
        row(operation, start + at, fold, seed, at, loss=1 / at, validation_loss=1.1 / at) for at in range(1, epochs + 1)
    ]


def test_an_epoch_done_twice_counts_as_the_later_operation_told_it() -> None:
    rows = [row(8, 2, 0, 0, 2, loss=0.2), row(7, 2, 0, 0, 2, loss=0.9), row(7, 1, 0, 0, 1, loss=1.0)]
    assert [(one.unit, one.operation, one.loss) for one in epochs_of(rows)] == [(1, 7, 1.0), (2, 8, 0.2)]


def test_a_model_that_stopped_early_leaves_no_hole_on_the_axis() -> None:
    fits = fits_of(epochs_of([*model(1, 0, 0, 3, 0), *model(1, 0, 1, 5, 100), *model(1, 1, 0, 2, 200)]))
    assert [(fit.fold, fit.seed, fit.start, fit.length) for fit in fits] == [(0, 0, 0, 3), (0, 1, 3, 5), (1, 0, 8, 2)]


def test_the_best_epoch_is_that_of_the_lowest_validation_loss() -> None:
    rows = [row(1, at, 0, 0, at, loss=1.0, validation_loss=value) for at, value in enumerate((0.9, 0.7, 0.8), start=1)]
    [fit] = fits_of(epochs_of(rows))
    assert fit.best is not None
    assert (fit.best.epoch, fit.best.validation_loss) == (2, 0.7)


def test_no_line_joins_two_models() -> None:
    plot = training_plot(fits_of(epochs_of([*model(1, 0, 0, 4, 0), *model(1, 1, 0, 4, 40)])))
    assert [line.path.count("M") for line in plot.lines] == [2, 2]
    assert [band.label for band in plot.bands] == ["fold 1", "fold 2"]


def test_a_loss_that_was_no_number_breaks_the_line_and_is_named() -> None:
    rows = [row(1, 1, 0, 0, 1, loss=1.0, validation_loss=1.0), row(1, 2, 0, 0, 2), row(1, 3, 0, 0, 3, loss=2.0)]
    plot = training_plot(fits_of(epochs_of(rows)))
    training = next(line for line in plot.lines if line.name == "training loss")
    assert training.path.count("M") == 2
    assert plot.points is not None
    assert plot.points["series"][1]["value"] == ["1.0000", "no number", "2.0000"]


def test_a_training_of_one_epoch_without_any_number_can_be_drawn() -> None:
    plot = training_plot(fits_of(epochs_of([row(1, 1, 0, 0, 1)])))
    assert [line.path for line in plot.lines] == ["", ""]
    assert plot.text.startswith("1 model, 1 epochs")


def test_the_epoch_with_which_another_operation_went_on_is_marked() -> None:
    rows = [*model(7, 0, 0, 5, 0), *[(8, unit, values) for _, unit, values in model(8, 0, 0, 10, 0)[5:]]]
    [mark] = [one for one in training_plot(fits_of(epochs_of(rows)), went_on=[8, 9]).marks if one.style == "warn"]
    assert (mark.at, mark.label) == ("50%", "operation 8 goes on")


def test_the_readout_knows_every_epoch_in_order() -> None:
    plot = training_plot(fits_of(epochs_of([*model(1, 0, 0, 2, 0), *model(1, 0, 1, 2, 20)])))
    assert plot.points is not None
    assert plot.points["x"] == sorted(plot.points["x"])
    assert plot.points["label"][2] == "fold 1, model 2, epoch 1"
    assert {len(series["value"]) for series in plot.points["series"]} == {4}
