"""The search a research is part of: what all trials it may read earned, bar by bar."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from research.lifecycle.states import Kind, Status
from research.models import Artifact, Trial
from research.phases.assessment.evidence import Search
from research.services import blobs
from workers.market import overfitting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from research.models import Research

    Array = NDArray[np.float64]

COMPARED = 100  # so many of the newest trials


def search_of(research: Research, equity: Array) -> Search:
    """`equity` (m, 3) is this research's `equity.npy`. Reads what the research may read and nothing later."""
    ledger = Trial.objects.filter(id__lte=research.memory_seq, symbol=research.symbol, timeframe=research.timeframe)
    newest = list(ledger.order_by("-id").values_list("research_id", flat=True)[:COMPARED])
    rows = Artifact.objects.filter(
        operation__research_id__in=newest, operation__kind=Kind.BACKTEST, operation__status=Status.COMPLETED,
        name="equity.npy",
    ).order_by("operation__research_id")  # fmt: skip
    curves = [equity, *(found for row in rows if (found := _read(row)) is not None)]
    returns = common_returns(curves)
    if returns is None:
        return Search(len(curves))
    independent = overfitting.independent_trials(returns)
    return Search(len(curves), overfitting.overfitting_probability(returns), independent)


def common_returns(curves: list[Array]) -> Array | None:
    """(n, N): returns of each equity curve (time, equity, …) over the times that all have; None for too few."""
    if len(curves) < overfitting.LEAST_TRIALS:
        return None
    times = curves[0][:, 0]
    for curve in curves[1:]:
        times = np.intersect1d(times, curve[:, 0], assume_unique=True)
    if len(times) <= overfitting.LEAST_PERIODS:
        return None
    held = [curve[np.searchsorted(curve[:, 0], times), 1] for curve in curves]
    return np.column_stack([one[1:] / one[:-1] - 1.0 for one in held])


def _read(row: Artifact) -> Array | None:
    """None for one that was damaged since: its trial still counts, only its curve is not compared."""
    try:
        loaded: Array = np.load(io.BytesIO(blobs.read(row.blob, row.sha256)), allow_pickle=False)
    except blobs.Damaged:
        return None
    return loaded
