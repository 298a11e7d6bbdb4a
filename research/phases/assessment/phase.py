"""The assessment as a phase: what it reads, what it leaves."""

from __future__ import annotations

import io
import math
from statistics import pvariance
from typing import TYPE_CHECKING, Any

import numpy as np

from research.lifecycle.states import Kind, State, Status
from research.models import Artifact, Trial
from research.phases.base import InProcess, Leaves
from research.services import blobs
from workers.faults import point
from workers.strategy import parse, strategy_sha256

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from research.models import Operation, Research
    from research.phases.assessment.verdict import Assessment
    from research.phases.base import Context

STEPS = 3
MEASURES = (
    "sharpe",
    "cagr",
    "max_drawdown",
    "trades",
    "exposure",
    "turnover",
    "volatility",
    "total_return",
    "win_rate",
)


class Assess(InProcess):
    kind = Kind.ASSESSMENT

    def spec(self, research: Research) -> dict[str, Any]:
        return {"memory_seq": research.memory_seq}

    def run(self, context: Context) -> dict[str, Any]:
        """The verdict as JSON; without a backtest (weights that are not finite) a rejection that says so."""
        research = context.research
        context.progress(0, STEPS, "reading the returns and the ledger of trials")
        backtest = research.operations.filter(kind=Kind.BACKTEST, status=Status.COMPLETED).first()
        if backtest is None:
            return _as_result(_without(research), {})
        returns = _array(backtest, "returns.npy")
        context.guard()
        context.progress(1, STEPS, "asking how much of it is luck")
        found = _assess(research, backtest, returns)
        point("assessment.assessed")
        context.progress(2, STEPS, "writing the verdict")
        return _as_result(found, (backtest.result or {})["metrics"])

    def leave(self, research: Research, operation: Operation) -> Leaves:
        result = operation.result or {}
        verdict, metrics = result["verdict"], result["metrics"]
        spec = research.strategy.spec if research.strategy else research.given or {}
        trial = {
            "symbol": research.symbol, "timeframe": research.timeframe, "strategy_sha256": strategy_sha256(parse(spec)),
            "spec": spec, "sharpe": result["sharpe_per_period"], "dsr": metrics.get("dsr"), "verdict": verdict["label"],
            "metrics": metrics, "brief": research.brief, "lineage": research.lineage,
        }  # fmt: skip
        message = f"Research {research.pk} is complete: {verdict['label']}."
        again = research.reproduces_id or research.holdout_of_id  # the same strategy again is no new trial
        counted = None if again else trial
        return Leaves(State.COMPLETED, message, verdict=verdict, metrics=metrics, trial=counted)


def _without(research: Research) -> Assessment:
    from research.phases.assessment.verdict import Assessment

    return Assessment.without_backtest(research.gates)


def _assess(research: Research, backtest: Operation, returns: NDArray[np.float64]) -> Assessment:
    """Deflated by every trial the research may read, and itself; on the hold-out, by how often that was opened."""
    from research.phases.assessment.evidence import Search
    from research.phases.assessment.search import search_of
    from research.phases.assessment.verdict import Evidence, assess
    from workers.market.metrics import moments

    opening = research.holdout_opening or 0
    ledger = Trial.objects.filter(id__lte=research.memory_seq, symbol=research.symbol, timeframe=research.timeframe)
    others = [] if opening else list(ledger.order_by("id").values_list("sharpe", flat=True))
    sharpes = [*(value for value in others if value is not None), moments(returns[:, 0].copy()).sharpe]
    return assess(
        Evidence(
            returns=returns,
            result=backtest.result or {},
            trials=opening or len(others) + 1,
            trial_variance=pvariance(sharpes),
            gates=research.gates,
            seed=research.seed,
            search=Search() if opening else search_of(research, _array(backtest, "equity.npy")),
            opening=opening,
        )
    )


def _array(backtest: Operation, name: str) -> NDArray[np.float64]:
    """An array the backtest left: `returns.npy` (bars − 1, 4), strategy, buy and hold, share held, market; `equity.npy`
    (bars, 3), time, equity, buy and hold. Raises `Damaged` when altered since.
    """
    artifact = Artifact.objects.get(operation=backtest, name=name)
    loaded: NDArray[np.float64] = np.load(io.BytesIO(blobs.read(artifact.blob, artifact.sha256)), allow_pickle=False)
    return loaded


def _as_result(found: Assessment, metrics: dict[str, Any]) -> dict[str, Any]:
    """JSON-ready; figures that are not finite become None."""
    figures = found.figures
    measures = {name: metrics[name] for name in MEASURES if name in metrics}
    if figures is not None:
        measures |= {"psr": figures.psr, "dsr": figures.dsr}
    plain: dict[str, Any] = _finite({
        "verdict": found.as_dict(), "metrics": measures,
        "sharpe_per_period": figures.sharpe_per_period if figures else None,
    })  # fmt: skip
    return plain


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, np.generic):
        return _finite(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value
