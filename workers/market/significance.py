"""How likely is it that a Sharpe ratio is luck? Pure functions of numbers; no SciPy.

Sources: Bailey & López de Prado, "The Sharpe Ratio Efficient Frontier" (2012) for the probabilistic Sharpe ratio and
the minimum track record; "The Deflated Sharpe Ratio" (2014) for the expected maximum and the deflated ratio.
Every Sharpe ratio here is per period (per bar), never annualised; `kurtosis` is 3 for normal returns.
"""

from __future__ import annotations

import math
from statistics import NormalDist

EULER_MASCHERONI = 0.5772156649015329
_NORMAL = NormalDist()
_FEW_TRIALS = 10


def sharpe_variance(sharpe: float, skew: float, kurtosis: float) -> float:
    """Variance of an estimated Sharpe ratio times (observations − 1); 2012, equation 5. Never below 1e-12."""
    return max(1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe * sharpe, 1e-12)


def probabilistic_sharpe(
    sharpe: float, observations: int, skew: float = 0.0, kurtosis: float = 3.0, benchmark: float = 0.0
) -> float:
    """Probability that the true Sharpe ratio is above `benchmark`; 0.5 with fewer than two observations."""
    if observations < 2:
        return 0.5
    spread = math.sqrt(sharpe_variance(sharpe, skew, kurtosis))
    return _NORMAL.cdf((sharpe - benchmark) * math.sqrt(observations - 1) / spread)


def expected_maximum(trials: float) -> float:
    """Expected largest of `trials` independent standard normal numbers (2014, equation 1); 0 for one trial or none."""
    if trials <= 1:
        return 0.0
    high = _NORMAL.inv_cdf(1.0 - 1.0 / trials)
    higher = _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return (1.0 - EULER_MASCHERONI) * high + EULER_MASCHERONI * higher


def trial_variance(trials: int, variance: float, observations: int) -> float:
    """Variance of the trials' Sharpe ratios to deflate with.

    A handful of trials says little about their own spread; below ten, the variance of skill-less strategies,
    1 / observations, is the least that is assumed.
    """
    floor = 1.0 / max(observations, 1) if trials < _FEW_TRIALS else 0.0
    return max(variance, floor)


def deflated_benchmark(trials: float, variance: float) -> float:
    """SR0: the Sharpe ratio that the best of so many trials without skill reaches on average."""
    return math.sqrt(max(variance, 0.0)) * expected_maximum(trials)


def deflated_sharpe(
    sharpe: float, observations: int, skew: float, kurtosis: float, trials: float, variance: float
) -> float:
    """Probability of skill, counting that this is the best of `trials` whose Sharpe ratios vary by `variance`."""
    return probabilistic_sharpe(sharpe, observations, skew, kurtosis, deflated_benchmark(trials, variance))


def minimum_track_record(
    sharpe: float, benchmark: float = 0.0, skew: float = 0.0, kurtosis: float = 3.0, confidence: float = 0.95
) -> float:
    """Observations needed before `sharpe` is above `benchmark` with that confidence; infinite when it is not above."""
    if sharpe <= benchmark:
        return math.inf
    z = _NORMAL.inv_cdf(confidence)
    return 1.0 + sharpe_variance(sharpe, skew, kurtosis) * (z / (sharpe - benchmark)) ** 2
