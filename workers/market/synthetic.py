"""Made-up bars: pure noise as a negative control, planted edges as positive ones. The same seed, the same bars.

Every bar opens near the close before: a decision at a close is filled at the next open and earns what was planted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from workers.market.bars import Bars, seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

VOLATILITY = 0.012  # standard deviation of a bar's log return
GAP_SHARE = 0.15  # of a bar's standard deviation, between a close and the next open
START = 946_857_600  # 2000-01-03, a Monday
RSI_PERIOD = 14
RULE_EDGE = 0.35
TREND_SPAN = 10
TREND_SHARE = 0.6
LEAST, MOST = 100, 200_000

About = tuple[str, str]
KINDS: Final[dict[str, About]] = {
    "noise": ("NOISE", "a random walk: nothing can be learned, whatever looks like an edge is luck"),
    "rule": ("RULE", f"a planted rule: after a low RSI({RSI_PERIOD}) prices tend to rise, after a high one to fall"),
    "momentum": ("MOMENTUM", f"autocorrelated: prices tend to go on as over the last {TREND_SPAN} bars"),
}
"""Name of each kind: its default symbol, and what it is."""


def generate(kind: str, *, bars: int = 3000, seed: int = 1, symbol: str = "", timeframe: str = "1d") -> Bars:
    """`bars` bars of a kind. Raises `ValueError` for an unknown kind or a number of bars out of range.

    Daily bars fall on weekdays; shorter and longer ones follow each other without a gap.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}; use one of {', '.join(KINDS)}")
    if not LEAST <= bars <= MOST:
        raise ValueError(f"{bars} bars: make between {LEAST} and {MOST}")
    random = np.random.Generator(np.random.PCG64([seed, list(KINDS).index(kind)]))
    noise = random.standard_normal(bars)
    moves = VOLATILITY * _DRIFTS[kind](noise)
    return _as_bars(moves, random, symbol or KINDS[kind][0], timeframe)


def _noise(noise: NDArray[np.float64]) -> NDArray[np.float64]:
    return noise - VOLATILITY / 2  # the price itself, not its logarithm, has no drift


def _rule(noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adds RULE_EDGE standard deviations per bar at an RSI of 30 and below, takes them at 70 and above."""
    moves = np.empty_like(noise)
    up = down = 0.5
    for bar, shock in enumerate(noise):
        strength = 100.0 * up / (up + down)
        moves[bar] = shock + RULE_EDGE * float(np.clip((50.0 - strength) / 20.0, -1.0, 1.0))
        up += (max(moves[bar], 0.0) - up) / RSI_PERIOD
        down += (max(-moves[bar], 0.0) - down) / RSI_PERIOD
    return moves


def _momentum(noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adds TREND_SHARE of the exponential mean of the moves before."""
    moves, trend, weight = np.empty_like(noise), 0.0, 2.0 / (TREND_SPAN + 1)
    for bar, shock in enumerate(noise):
        moves[bar] = shock + TREND_SHARE * trend
        trend += weight * (moves[bar] - trend)
    return moves


_DRIFTS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "noise": _noise, "rule": _rule, "momentum": _momentum,
}  # fmt: skip


def _as_bars(moves: NDArray[np.float64], random: np.random.Generator, symbol: str, timeframe: str) -> Bars:
    """`moves` are log returns from close to close; the rest of each bar is made around them."""
    count = len(moves)
    close = 100.0 * np.exp(np.cumsum(moves))
    before = np.concatenate(([100.0], close[:-1]))
    opening = before * np.exp(GAP_SHARE * VOLATILITY * random.standard_normal(count))
    reach = np.abs(random.standard_normal((2, count))) * VOLATILITY * 0.4
    high, low = np.maximum(opening, close) * np.exp(reach[0]), np.minimum(opening, close) * np.exp(-reach[1])
    volume = np.round(1e6 * np.exp(0.3 * random.standard_normal(count)))
    return Bars(symbol, timeframe, _times(count, timeframe), opening, high, low, close, volume)


def _times(count: int, timeframe: str) -> NDArray[np.int64]:
    bars = np.arange(count, dtype=np.int64)
    if timeframe == "1d":
        return START + 86_400 * (bars // 5 * 7 + bars % 5)
    return START + seconds(timeframe) * bars


def lines(bars: Bars) -> NDArray[np.int64]:
    """Shape (n,): the lines these bars would have in a file, for a quality report."""
    return np.arange(2, len(bars) + 2, dtype=np.int64)
