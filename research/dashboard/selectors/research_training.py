"""How the training went: its curves from the measures, each model in numbers, live while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import F, Value
from django.db.models.functions import Mod

from research.dashboard.selectors.charts_training import Epoch, Fit, epochs_of, fits_of, training_plot
from research.dashboard.selectors.research_figures import loss, say
from research.lifecycle.states import Kind, State
from research.models import Measure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from research.dashboard.selectors.charts_plot import Plot
    from research.dashboard.selectors.research_rows import Rows

MOST_POINTS, MOST_MODELS, TABLE_ROWS = 2400, 60, 60
_WAITS = {
    State.PENDING: "The design comes first.",
    State.DESIGNING: "The design comes first.",
    State.TRAINING: "The first epoch is awaited: a worker takes the training and reports its loss.",
}


@dataclass(frozen=True, slots=True)
class Model:
    """One trained model in numbers, as text."""

    fold: int
    seed: int
    epochs: str
    best_epoch: str
    best_loss: str
    loss: str
    diverged: bool


@dataclass(frozen=True, slots=True)
class Training:
    """`every`: only each so many epochs are shown; `plot` is None while nothing was measured."""

    follows: str
    plot: Plot | None
    waits: str
    models: list[Model] = field(default_factory=list)
    unlisted: int = 0
    table: list[Epoch] = field(default_factory=list)
    table_every: int = 1
    every: int = 1
    facts: list[tuple[str, str]] = field(default_factory=list)


def training(rows: Rows) -> Training:
    tries = [one for one in rows.operations if one.kind == Kind.TRAINING]
    result = rows.result(Kind.TRAINING)
    every, epochs = _epochs([one.pk for one in tries])
    if not epochs:
        waits = _WAITS.get(State(rows.research.state), "No epoch was reported.")
        return Training(rows.follows_closely, None, waits, _reported(result), facts=_facts(result))
    fits = fits_of(epochs)
    models = _reported(result) or [_seen(fit, every) for fit in fits]
    stride = -(-len(epochs) // TABLE_ROWS)
    plot = training_plot(fits, [one.pk for one in tries if one.continues_id])
    return Training(
        rows.follows_closely, plot, "", models[-MOST_MODELS:],
        max(0, len(models) - MOST_MODELS), epochs[::stride], stride * every, every, _facts(result),
    )  # fmt: skip


def _epochs(operations: list[int]) -> tuple[int, list[Epoch]]:
    """At most about `MOST_POINTS` epochs, evenly chosen by the database."""
    rows = Measure.objects.filter(operation_id__in=operations)
    every = max(1, -(-rows.count() // MOST_POINTS))
    if every > 1:
        rows = rows.annotate(place=Mod(F("unit"), Value(every))).filter(place=0)
    return every, epochs_of(list(rows.values_list("operation_id", "unit", "values")))


def _reported(result: Mapping[str, Any]) -> list[Model]:
    return [
        Model(
            int(one["fold"]) + 1, int(one["seed"]) + 1, f"{one['epochs']:,}", f"{one['best_epoch']:,}",
            say(one.get("best_validation_loss"), loss), say(one.get("loss"), loss), bool(one.get("diverged")),
        )
        for one in result.get("history") or []
    ]  # fmt: skip


def _seen(fit: Fit, every: int) -> Model:
    best, about = fit.best, "about " if every > 1 else ""
    return Model(
        fit.fold + 1, fit.seed + 1, f"{about}{fit.length:,}", f"{best.epoch:,}" if best else "–",
        say(best.validation_loss if best else None, loss), say(fit.last.loss, loss), diverged=fit.last.loss is None,
    )  # fmt: skip


def _facts(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    base = result.get("base_rate") or {}
    found = [
        ("Epochs trained", say(result.get("epochs"), lambda value: f"{value:,.0f}")),
        ("Models that diverged", say(result.get("diverged"), lambda value: f"{value:.0f}")),
        ("Error against the base rate, unseen bars", say(base.get("skill"), lambda value: f"{-value:+.2%}")),
        ("Of the scores, made by rules", say(result.get("rule_share"), lambda value: f"{value:.0%}")),
    ]
    return [(name, value) for name, value in found if value != "–"]
