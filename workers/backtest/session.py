"""The state of a simulation as bytes: the checkpoint of a backtest."""

from __future__ import annotations

from dataclasses import astuple, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from workers.backtest.simulate import END, OPEN, SIGNAL, STOP, TARGET, State, Trade
from workers.job import UnusableCheckpoint
from workers.training.tensors import BadFile, expect, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORM = "backtest checkpoint 1"
_REASONS = (OPEN, STOP, TARGET, SIGNAL, END)
_WHOLE = ("side", "entry", "exit")
_SCALARS = {"cursor": int, "cash": float, "units": float, "side": int, "traded": float, "exposed": int, "ruined": bool}
_WIDTH = len(fields(Trade))


def dump(state: State, identity: Mapping[str, Any]) -> bytes:
    """Every number is kept to its last bit: arrays as float64, scalars as Python writes them."""
    rows = [_row(trade) for trade in state.trades]
    arrays = {
        "equity": np.array(state.equity, dtype=np.float64),
        "held": np.array(state.held, dtype=np.float64),
        "trades": np.array(rows, dtype=np.float64).reshape(len(rows), _WIDTH),
    }
    scalars = {name: getattr(state, name) for name in _SCALARS}
    about: dict[str, Any] = {"form": _FORM, "identity": dict(identity), "scalars": scalars, "order": state.order}
    about["trade"] = _row(state.trade) if state.trade else None
    about["closed"] = len(rows)
    return pack(arrays, about)


def restore(payload: bytes, identity: Mapping[str, Any], bars: int) -> State:
    """The state of `dump`. Raises `UnusableCheckpoint` when it is damaged or of another backtest."""
    try:
        arrays, about = unpack(payload)
        if about.get("form") != _FORM:
            raise BadFile("it is no checkpoint of a backtest")
        if about["identity"] != dict(identity):
            raise BadFile("it belongs to another strategy, model or data")
        return _state(arrays, about, bars)
    except (BadFile, KeyError, TypeError, ValueError, IndexError) as error:
        raise UnusableCheckpoint(f"This backtest checkpoint cannot be used: {error}.") from error


def _state(arrays: dict[str, Any], about: dict[str, Any], bars: int) -> State:
    scalars = about["scalars"]
    for name, kind in _SCALARS.items():
        if type(scalars[name]) is not kind:
            raise BadFile(f"{name} is no {kind.__name__}")
    done = scalars["cursor"]
    if not 0 <= done <= bars or about["order"] not in {None, -1, 0, 1}:
        raise BadFile(f"it is at bar {done} of {bars}")
    expect(arrays, {"equity": (done,), "held": (done,), "trades": (about["closed"], _WIDTH)})
    state = State(**{name: scalars[name] for name in _SCALARS})
    state.order = about["order"]
    state.trade = _trade(about["trade"]) if about["trade"] else None
    state.equity, state.held = arrays["equity"].tolist(), arrays["held"].tolist()
    state.trades = [_trade(row) for row in arrays["trades"].tolist()]
    return state


def _row(trade: Trade) -> list[float]:
    *numbers, reason = astuple(trade)
    return [*map(float, numbers), float(_REASONS.index(reason))]


def _trade(row: list[float]) -> Trade:
    names = [field.name for field in fields(Trade)]
    values: dict[str, Any] = dict(zip(names, row, strict=True))
    values |= {name: int(values[name]) for name in _WHOLE}
    values["reason"] = _REASONS[int(values["reason"])]
    return Trade(**values)
