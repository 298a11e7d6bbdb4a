"""Bars of one symbol and timeframe, and their one binary form."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

if TYPE_CHECKING:
    from numpy.typing import NDArray

PRICES = ("open", "high", "low", "close")
COLUMNS = (*PRICES, "volume")

# Seconds of one bar, and bars of one trading year (252 days, 6.5 hours a day), for every known timeframe.
_TIMEFRAMES: dict[str, tuple[int, float]] = {
    "1m": (60, 252 * 390.0),
    "5m": (300, 252 * 78.0),
    "15m": (900, 252 * 26.0),
    "30m": (1800, 252 * 13.0),
    "1h": (3600, 252 * 6.5),
    "4h": (14400, 252 * 6.5 / 4),
    "1d": (86400, 252.0),
    "1w": (604800, 52.0),
}
TIMEFRAMES = tuple(_TIMEFRAMES)


def periods_per_year(timeframe: str) -> float:
    """Bars of one trading year, to annualise: 252 for `1d`, 1638 for `1h` (6.5 hours a day); else `KeyError`."""
    return _TIMEFRAMES[timeframe][1]


def seconds(timeframe: str) -> int:
    """Length of one bar in seconds. `KeyError` for an unknown timeframe."""
    return _TIMEFRAMES[timeframe][0]


class BadBars(ValueError):
    """Bytes or columns that are no bars; the message says why."""


@dataclass(frozen=True, eq=False)
class Bars:
    """Columns of shape (n,): `time` int64, Unix seconds UTC of the bar's open (1d: midnight of its date), others
    float64.

    Raises `BadBars` for columns of other shapes, types or an unknown timeframe. The columns are made read-only.
    """

    symbol: str
    timeframe: str
    time: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.timeframe not in _TIMEFRAMES:
            raise BadBars(f"unknown timeframe {self.timeframe!r}; use one of {', '.join(TIMEFRAMES)}")
        for name in ("time", *COLUMNS):
            dtype = np.int64 if name == "time" else np.float64
            column = np.ascontiguousarray(getattr(self, name), dtype=dtype)
            if column.shape != (len(self.time),):
                raise BadBars(f"column {name} has shape {column.shape}, not ({len(self.time)},)")
            column = column.view()
            column.flags.writeable = False
            object.__setattr__(self, name, column)

    def __len__(self) -> int:
        return len(self.time)

    def slice(self, start: int, stop: int) -> Bars:
        """Bars `start` to `stop` (exclusive), as views."""
        columns = {name: getattr(self, name)[start:stop] for name in ("time", *COLUMNS)}
        return Bars(self.symbol, self.timeframe, **columns)

    def to_bytes(self) -> bytes:
        """Safetensors; equal bars give equal bytes (the library orders metadata at random: ours is one key)."""
        columns = {name: np.ascontiguousarray(getattr(self, name)) for name in ("time", *COLUMNS)}
        about = json.dumps({"symbol": self.symbol, "timeframe": self.timeframe}, sort_keys=True)
        return save(columns, metadata={"bars": about})

    @classmethod
    def from_bytes(cls, payload: bytes) -> Bars:
        """The bars of `to_bytes`. Raises `BadBars` for anything else."""
        try:
            columns = load(payload)
            about = json.loads(_metadata(payload)["bars"])
            return cls(about["symbol"], about["timeframe"], **{name: columns[name] for name in ("time", *COLUMNS)})
        except (SafetensorError, KeyError, TypeError, ValueError, struct.error) as error:
            raise BadBars(f"these bytes are no bars: {error}") from error

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of `to_bytes()`, in hexadecimal."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


def _metadata(payload: bytes) -> dict[str, str]:
    """The header's metadata: safetensors is 8 bytes of length, a JSON header, then the columns."""
    (length,) = struct.unpack("<Q", payload[:8])
    header: dict[str, dict[str, str]] = json.loads(payload[8 : 8 + length])
    return header["__metadata__"]
