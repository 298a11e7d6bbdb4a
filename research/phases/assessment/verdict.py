"""May I believe it? From what was measured to a verdict in plain words. Pure: no database, no clock, no files.

`promising`: deflated Sharpe ratio at least 0.95, the one-sided 95 % lower bound of the excess Sharpe ratio over buy and
hold above 0, at least 30 trades, a profit at twice the costs, and no collapse. `reject`: deflated Sharpe ratio under
0.5, or a loss after costs, or collapse (constant scores, or no trade at all). Otherwise `inconclusive`.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

from research.phases.assessment.evidence import Figures, Search, figures
from research.phases.gates import MIN_TRADES, check
from workers.market.overfitting import BLOCKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Label = Literal["promising", "inconclusive", "reject"]
PROMISING_DSR = 0.95
REJECT_DSR = 0.5
SPLITS = math.comb(BLOCKS, BLOCKS // 2)


@dataclass(frozen=True)
class Evidence:
    """What a verdict is made of.

    `returns` (n, 4) is the artifact `returns.npy` of a backtest: strategy, buy and hold, share held, market. `trials`
    counts every trial on this symbol and timeframe, this one included; `trial_variance` is the variance of their Sharpe
    ratios per period. `gates` by phase. `seed` decides the resampling.
    `opening` is how often the hold-out was opened with this result, where it is one; it then stands for `trials`.
    """

    returns: Array
    result: Mapping[str, Any]
    trials: int
    trial_variance: float
    gates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    seed: int = 0
    search: Search = field(default_factory=Search)
    opening: int = 0


@dataclass(frozen=True)
class Assessment:
    """`tests` as `research.phases.gates.check`; `as_dict` is JSON-ready. No figures without a backtest."""

    label: Label
    why: list[str]
    tests: list[dict[str, Any]]
    figures: Figures | None = None
    search: Search = field(default_factory=Search)

    @classmethod
    def without_backtest(cls, gates: Mapping[str, Mapping[str, Any]] | None = None) -> Self:
        """Rejected before any trade: the trained weights are not finite."""
        why = ["Rejected: training diverged, its weights are not finite, so there was nothing to trade with."]
        return cls("reject", [*why, *_failed_gates(gates or {})], [])

    def as_dict(self) -> dict[str, Any]:
        """{"label", "why", "tests"} and, after a backtest, the fields of `Figures` (`psr`, `dsr`, `sharpe` ...)."""
        own = asdict(self.figures) | {"search": asdict(self.search)} if self.figures else {}
        return {"label": self.label, "why": self.why, "tests": self.tests, **own}


def assess(evidence: Evidence) -> Assessment:
    """The verdict with each test's number and threshold; under a second for some thousands of bars."""
    found = figures(evidence.returns, evidence.result, evidence.trials, evidence.trial_variance, evidence.seed)
    tests = _tests(found, evidence)
    label = _label(found, {test["name"]: bool(test["passed"]) for test in tests})
    return Assessment(label, _why(label, found, tests, evidence), tests, found, evidence.search)


def _tests(found: Figures, evidence: Evidence) -> list[dict[str, Any]]:
    metrics = evidence.result["metrics"]
    trades, earned = metrics["trades"], metrics["total_return"]
    doubled = next(row["total_return"] for row in evidence.result["cost_sensitivity"] if row["factor"] == 2)
    bound = found.excess_sharpe.low
    alive = not _collapsed(evidence)
    return [
        check(
            "deflated_sharpe",
            found.dsr,
            PROMISING_DSR,
            passed=found.dsr >= PROMISING_DSR,
            text=f"The probability of skill, counting {found.trials} "
            f"{'trial' if found.trials == 1 else 'trials'} on this market, is {found.dsr:.2f}; it should be "
            f"{PROMISING_DSR}, and under {REJECT_DSR} it is rejected.",
        ),
        check(
            "beats_buy_and_hold",
            bound,
            0.0,
            passed=bound > 0.0,
            text=f"The Sharpe ratio is {found.excess_sharpe.value:+.2f} against buy and hold; with 95 % confidence it "
            f"is above {bound:+.2f}, which should be over 0.",
        ),
        check(
            "enough_trades",
            trades,
            MIN_TRADES,
            passed=trades >= MIN_TRADES,
            text=f"{trades} trades; at least {MIN_TRADES} are needed.",
        ),
        check(
            "profit_after_costs",
            earned,
            0.0,
            passed=earned > 0.0,
            text=f"After costs it makes {earned:+.1%} in all.",
        ),
        check(
            "profit_at_twice_the_costs",
            doubled,
            0.0,
            passed=doubled > 0.0,
            text=f"At twice the costs it makes {doubled:+.1%} in all.",
        ),
        check(
            "not_collapsed",
            evidence.result["metrics"]["exposure"],
            0.0,
            passed=alive,
            text="The scores move and lead to trades."
            if alive
            else "Its scores are constant or never lead to a trade.",
        ),
    ]


def _collapsed(evidence: Evidence) -> bool:
    checks = evidence.gates.get("training", {}).get("checks", [])
    constant = any(one["name"] == "collapsed" and not one["passed"] for one in checks)
    return constant or evidence.result["metrics"]["trades"] == 0


def _label(found: Figures, passed: Mapping[str, bool]) -> Label:
    if found.dsr < REJECT_DSR or not passed["profit_after_costs"] or not passed["not_collapsed"]:
        return "reject"
    return "promising" if all(passed.values()) else "inconclusive"


_OPENING = {
    "promising": "Promising: every test is passed. It is still one backtest; the hold-out is the next thing to ask.",
    "inconclusive": "Inconclusive: it may be luck, and this much data cannot tell.",
    "reject": "Rejected: there is no reason to believe in it.",
}


def _why(label: Label, found: Figures, tests: list[dict[str, Any]], evidence: Evidence) -> list[str]:
    why = [_OPENING[label], *_of_the_holdout(evidence.opening), *(test["text"] for test in tests if not test["passed"])]
    if label == "promising":
        why += [test["text"] for test in tests]
    share = found.random_entry_percentile
    why.append(f"Its timing beats {share:.0%} of random timings with the same exposure.")
    if found.minimum_track_record_years is not None:
        why.append(
            f"A Sharpe ratio of {found.sharpe.value:.2f} needs {found.minimum_track_record_years:.1f} years to be "
            f"told from zero; there are {found.years:.1f}."
        )
    return [*why, *_of_the_search(evidence.search), *_failed_gates(evidence.gates)]


def _of_the_holdout(opening: int) -> list[str]:
    if opening == 0:
        return []
    if opening == 1:
        return ["This is the hold-out, opened for the first time: no search has read these bars."]
    return [f"This is the hold-out, opened {opening} times by now: the more often, the less a good result says."]


def _of_the_search(search: Search) -> list[str]:
    if search.overfitting is None:
        return []
    text = (
        f"Of the {search.compared} strategies compared, the best in one half of the bars falls below the median in the "
        f"other half in {search.overfitting:.0%} of {SPLITS} splits (probability of backtest overfitting; pure luck "
        "gives 50%)."
    )
    return [text]


def _failed_gates(gates: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        f"After {phase}: {one['text']}"
        for phase, gate in gates.items()
        for one in gate.get("checks", [])
        if not one["passed"]
    ]
