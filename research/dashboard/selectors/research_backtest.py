"""The out-of-sample curve of the completed backtest, and what each walk-forward fold was and earned."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from research.dashboard.selectors.charts_equity import Curve, Row, drawdown_plot, equity_plot, table
from research.dashboard.selectors.charts_time import date_of
from research.dashboard.selectors.research_figures import loss, percent, say, signed_percent
from research.lifecycle.states import Kind, State
from research.models import Artifact
from research.services import blobs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from research.dashboard.selectors.charts_plot import Plot
    from research.dashboard.selectors.research_rows import Rows
    from research.models import Operation

MOST_FOLDS = 50
_WAITS = {
    State.PENDING: "Design and training come first.",
    State.DESIGNING: "Design and training come first.",
    State.TRAINING: "The training comes first; its models are then traded on bars they never saw.",
    State.BACKTESTING: "A worker trades the models on bars they never saw; the curve comes with its result.",
}
SKIPPED = "The backtest was skipped: the trained weights are not finite, there was nothing to trade with."


@dataclass(frozen=True, slots=True)
class Equity:
    """`problem`: there should be a curve but it cannot be read."""

    follows: str
    equity: Plot | None = None
    drawdown: Plot | None = None
    table: list[Row] = field(default_factory=list)
    period: str = ""
    waits: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Fold:
    """One walk-forward fold as text; `better` says whether it beat the base rate."""

    number: int
    starts: str
    sizes: str
    loss: str
    base_loss: str
    skill: str
    better: bool
    accuracy: str
    majority: str
    spread: str
    earned: str = ""
    held: str = ""


@dataclass(frozen=True, slots=True)
class Folds:
    follows: str
    folds: list[Fold]
    unlisted: int
    waits: str
    earned: bool


def equity(rows: Rows) -> Equity:
    operation = rows.completed(Kind.BACKTEST)
    if operation is None:
        return Equity(rows.follows, waits=waits(rows))
    try:
        curve = Curve.of(_json(operation, "curve.json"))
    except (blobs.Damaged, Artifact.DoesNotExist, ValueError) as problem:
        return Equity(rows.follows, problem=f"The curve of operation {operation.pk} cannot be shown: {problem}")
    if not len(curve):
        return Equity(rows.follows, waits="The backtest traded no bar.")
    period = f"{date_of(curve.time[0])} to {date_of(curve.time[-1])} UTC"
    return Equity(rows.follows, equity_plot(curve), drawdown_plot(curve), table(curve), period)


def waits(rows: Rows) -> str:
    """Why there is no backtest yet, or none at all."""
    if (rows.research.gates.get("training") or {}).get("skip_backtest"):
        return SKIPPED
    return _WAITS.get(State(rows.research.state), "The research ended before its backtest was complete.")


def folds(rows: Rows) -> Folds:
    """From the training's result, with what each earned once it was traded."""
    given = [one for one in rows.result(Kind.TRAINING).get("folds") or [] if isinstance(one, dict)]
    if not given:
        early = rows.research.state in {State.PENDING, State.DESIGNING, State.TRAINING}
        text = "They come with the training's result." if early else "The training left none."
        return Folds(rows.follows, [], 0, text, earned=False)
    earned = _earned(rows)
    shown = [_fold(one, earned.get(int(one["fold"]))) for one in given[:MOST_FOLDS]]
    return Folds(rows.follows, shown, len(given) - len(shown), "", bool(earned))


def _fold(one: Mapping[str, Any], earned: tuple[str, float, float] | None) -> Fold:
    starts, own, held = earned or ("", None, None)
    sizes = " · ".join(f"{one.get(name, 0):,}" for name in ("train", "validation", "test"))
    return Fold(
        int(one["fold"]) + 1, starts, sizes, say(one.get("loss"), loss), say(one.get("base_loss"), loss),
        say(one.get("skill"), lambda value: f"{value:+.2%}"), (one.get("skill") or 0.0) > 0,
        say(one.get("accuracy"), percent), say(one.get("majority_accuracy"), percent),
        say(one.get("seed_deviation"), loss), say(own, signed_percent), say(held, signed_percent),
    )  # fmt: skip


def _earned(rows: Rows) -> dict[int, tuple[str, float, float]]:
    """By fold: its first day, the return of the strategy and of buy and hold; empty when the files cannot be read."""
    operation = rows.completed(Kind.BACKTEST)
    if operation is None:
        return {}
    try:
        starts = Curve.of(_json(operation, "curve.json")).fold_starts
        values = np.load(io.BytesIO(_bytes(operation, "equity.npy")), allow_pickle=False)
    except (blobs.Damaged, Artifact.DoesNotExist, ValueError):
        return {}
    return returns_by_fold(values, starts)


def returns_by_fold(values: Any, starts: Sequence[float]) -> dict[int, tuple[str, float, float]]:
    """`values` (m, 3): Unix seconds, equity, buy and hold. A fold earns from the last close before it to its last."""
    begins = [max(0, int(np.searchsorted(values[:, 0], start)) - 1) for start in starts]
    found = {}
    for number, (begin, end) in enumerate(pairwise([*begins, len(values) - 1])):
        growth = [float(values[end, column] / values[begin, column] - 1.0) for column in (1, 2)]
        found[number] = (date_of(starts[number]), growth[0], growth[1])
    return found


def _json(operation: Operation, name: str) -> dict[str, Any]:
    loaded = json.loads(_bytes(operation, name))
    if not isinstance(loaded, dict):
        raise ValueError(f"{name} holds no object")
    return loaded


def _bytes(operation: Operation, name: str) -> bytes:
    artifact = Artifact.objects.get(operation=operation, name=name)
    return blobs.read(artifact.blob, artifact.sha256)
