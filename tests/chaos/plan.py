"""What a chaos run is to do. Everything random in it comes from `seed`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# How often each kind of process is struck, relative to the others. A database or a supervisor takes everything with it.
WEIGHTS: Final[dict[str, float]] = {
    "child": 5, "agent": 4, "phase worker": 4, "web": 2, "cluster": 2, "sentinel": 1, "monitor": 1, "pusher": 1,
    "postmaster": 0.7, "backend": 1, "supervisor": 0.7,
}  # fmt: skip
NEVER_FROZEN: Final = ("postmaster",)  # a frozen database is nobody's to judge: everything waits

SETTINGS: Final = {
    "KTRDR_HEARTBEAT": "0.5", "KTRDR_SUSPECT": "1.5", "KTRDR_LEASE": "3", "KTRDR_DB_GRACE": "3", "KTRDR_AMNESTY": "10",
    "KTRDR_MAX_ORPHANS": "1000", "KTRDR_DRAIN": "3",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """Times are seconds. `together`: researches begun at once; while kills are left, as many again follow them."""

    seed: int
    kills: int
    together: int = 6
    epochs: int = 400
    pace: float = 1.5  # mean time between two strikes
    aim: float = 0.75  # how often a process that works on something is preferred to an idle one
    freezes: float = 0.12  # shares of the strikes; the rest kills
    cuts: float = 0.12
    sessions: float = 0.03  # database sessions ended by the server
    power_cuts: float = 0.02  # the supervisor and everything below it at once
    longest_freeze: float = 8.0
    longest_cut: float = 6.0
    training_workers: int = 1
    backtest_workers: int = 1
    outside: tuple[str, ...] = ("training,backtest", "training", "training,backtest")
    stuck_after: float = 240.0  # calm, nothing changes for so long: broken
