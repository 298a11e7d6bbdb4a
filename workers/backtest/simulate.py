"""The simulation: decided on the close, filled at the next open. Plain Python over lists, in pieces of any size.

In each bar, in this order: the order of the last close is filled at the open; stop and target are looked at (a gap
through one fills at the open; where both are touched the stop counts); equity is taken at the close; the score decides.
A long order costs its fee out of the equity it is sized from, so the account never borrows; a short sells as much as
a long would buy. Slippage moves every fill against the trader.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

START_EQUITY = 100_000.0
OPEN, STOP, TARGET, SIGNAL, END = "open", "stop", "target", "signal", "end"


@dataclass(frozen=True, slots=True)
class Rules:
    """When to be in and what it costs; fractions of the price. `stop` and `target` None: there is none."""

    enter: float
    exit: float
    short: bool = False
    stop: float | None = None
    target: float | None = None
    fee: float = 0.0
    slippage: float = 0.0
    size: float = 1.0

    def with_costs(self, factor: float) -> Rules:
        """The same, at `factor` times the costs."""
        return replace(self, fee=self.fee * factor, slippage=self.slippage * factor)


@dataclass(frozen=True, slots=True)
class Market:
    """Bars and scores as lists of equal length n; a NaN score takes no position and leaves any."""

    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    score: list[float]

    def __len__(self) -> int:
        return len(self.close)


@dataclass(slots=True)
class Trade:
    """`entry` and `exit` are bars; prices as filled; `profit` in money after fees; `side` 1 long, −1 short."""

    side: int
    entry: int
    entry_price: float
    units: float
    entry_fee: float
    exit: int = -1
    exit_price: float = 0.0
    profit: float = 0.0
    reason: str = OPEN


@dataclass(slots=True)
class State:
    """The whole of a simulation: a run that goes on from it ends with the same bits. `order` is the side wanted."""

    cursor: int = 0
    cash: float = START_EQUITY
    units: float = 0.0
    side: int = 0
    order: int | None = None
    traded: float = 0.0
    exposed: int = 0
    ruined: bool = False
    trade: Trade | None = None
    equity: list[float] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)


def advance(state: State, market: Market, rules: Rules, until: int) -> None:
    """Simulate bars `state.cursor` to `until` (exclusive), in place."""
    opens, highs, lows, closes, scores = market.open, market.high, market.low, market.close, market.score
    equity, held = state.equity, state.held
    guarded = rules.stop is not None or rules.target is not None
    for bar in range(state.cursor, min(until, len(market))):
        if state.order is not None:
            _fill(state, rules, bar, opens[bar])
        if guarded and state.side:
            _guard(state, rules, bar, (opens[bar], highs[bar], lows[bar]))
        worth = state.units * closes[bar]
        value = state.cash + worth
        if value <= 0.0:
            _ruin(state, rules, bar, closes[bar])
            value = worth = 0.0
        equity.append(value)
        held.append(worth / value if value > 0.0 else 0.0)
        if state.side:
            state.exposed += 1
        if not state.ruined:
            wanted = _wanted(state.side, scores[bar], rules)
            state.order = wanted if wanted != state.side else None
    state.cursor = max(state.cursor, min(until, len(market)))


def finish(state: State, market: Market, rules: Rules) -> None:
    """Close what is open at the last close, with its costs, so that every trade counts."""
    if state.side and state.equity:
        last = len(market) - 1
        _close(state, rules, last, market.close[last], END)
        state.equity[-1] = max(state.cash, 0.0)


def _wanted(side: int, score: float, rules: Rules) -> int:
    """The side to be on after this close: 1, 0 or −1. Entering needs `enter`; staying needs `exit`."""
    if score >= rules.enter:
        return 1
    if rules.short and score <= -rules.enter:
        return -1
    if (side > 0 and score >= rules.exit) or (side < 0 and score <= -rules.exit):
        return side
    return 0


def _fill(state: State, rules: Rules, bar: int, price: float) -> None:
    wanted, state.order = state.order, None
    if state.side:
        _close(state, rules, bar, price, SIGNAL)
    if not wanted or state.cash <= 0.0:
        return
    filled = price * (1.0 + wanted * rules.slippage)
    units = wanted * rules.size * state.cash / (filled * (1.0 + rules.fee))
    fee = abs(units) * filled * rules.fee
    state.cash -= units * filled + fee
    state.traded += abs(units) * filled
    state.units, state.side = units, wanted
    state.trade = Trade(wanted, bar, filled, units, fee)


def _close(state: State, rules: Rules, bar: int, price: float, reason: str) -> None:
    trade = state.trade
    if trade is None:
        return
    filled = price * (1.0 - state.side * rules.slippage)
    fee = abs(state.units) * filled * rules.fee
    state.cash += state.units * filled - fee
    state.traded += abs(state.units) * filled
    trade.exit, trade.exit_price, trade.reason = bar, filled, reason
    trade.profit = trade.units * (filled - trade.entry_price) - fee - trade.entry_fee
    state.trades.append(trade)
    state.trade, state.units, state.side = None, 0.0, 0


def _guard(state: State, rules: Rules, bar: int, prices: tuple[float, float, float]) -> None:
    """Stop and target of the open position, both measured from its filled price."""
    if state.trade is None:
        return
    opening, high, low = prices
    side, entry = state.side, state.trade.entry_price
    worst, best = (low, high) if side > 0 else (high, low)
    if rules.stop is not None:
        level = entry * (1.0 - side * rules.stop)
        if side * (worst - level) <= 0.0:
            _close(state, rules, bar, opening if side * (opening - level) <= 0.0 else level, STOP)
            return
    if rules.target is not None:
        level = entry * (1.0 + side * rules.target)
        if side * (best - level) >= 0.0:
            _close(state, rules, bar, opening if side * (opening - level) >= 0.0 else level, TARGET)


def _ruin(state: State, rules: Rules, bar: int, price: float) -> None:
    """Nothing is left: the position is closed for good and no debt is kept."""
    _close(state, rules, bar, price, END)
    state.cash, state.order, state.ruined = 0.0, None, True


def simulate(market: Market, rules: Rules) -> State:
    """All bars at once."""
    state = State()
    advance(state, market, rules, len(market))
    finish(state, market, rules)
    return state


def columns(*arrays: Sequence[float]) -> Market:
    """A market of open, high, low, close and score."""
    return Market(*(list(map(float, array)) for array in arrays))
