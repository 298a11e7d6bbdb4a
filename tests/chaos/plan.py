"""What a chaos run is to do. Everything random in it comes from `seed`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# How often each kind of process is struck, relative to the others. A database or a supervisor takes everything with it.
WEIGHTS: Final[dict[str, float]] = {
    "child": 5, "agent": 4, "phase worker": 4, "web": 2, "cluster": 2, "sentinel": 1, "monitor": 1, "pusher": 1,
    "postmaster": 0.7, "backend": 1, "supervisor": 0.7,
}  # fmt: skip
ASKED_TO_END: Final[dict[str, float]] = {"agent": 4, "cluster": 2, "web": 1, "child": 1, "supervisor": 0.5}
HOSTS: Final[dict[str, float]] = {"agent": 5, "cluster": 2}  # frozen with everything below them, as a lost host is
FROZEN: Final = {kind: weight for kind, weight in WEIGHTS.items() if kind != "postmaster"}

# What is done, relative to the others. A power cut and a suspension are of the supervisor and everything below it.
ACTIONS: Final[dict[str, float]] = {
    "kill": 71, "term": 5, "freeze": 5, "host": 7, "cut": 3, "stall": 2, "delay": 2, "session": 2, "power cut": 2,
    "suspend": 1,
}  # fmt: skip
TARGETS: Final[dict[str, dict[str, float]]] = {
    "kill": WEIGHTS, "term": ASKED_TO_END, "freeze": FROZEN, "host": HOSTS,
    "power cut": {"supervisor": 1}, "suspend": {"supervisor": 1},
}  # fmt: skip

SETTINGS: Final = {
    "KTRDR_HEARTBEAT": "0.5", "KTRDR_SUSPECT": "1.5", "KTRDR_LEASE": "3", "KTRDR_DB_GRACE": "3", "KTRDR_AMNESTY": "6",
    "KTRDR_PHASE_LEASE": "3", "KTRDR_MAX_ORPHANS": "1000", "KTRDR_DRAIN": "3",
    "KTRDR_MAX_ACTIVE": "4",  # fewer than there are workers: an idle one is there to take over
    # The work waits at its fault points: long enough for strikes to find it, without the processor that recovery needs.
    "KTRDR_FAULTS": "design.designed=pause:0.2,design.stored=pause:0.3,assessment.assessed=pause:0.5,"
                    "training.epoch=pause:0.03,backtest.bar=pause:0.15",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """Times are seconds. `together`: researches begun at once; while kills are left, as many again follow them."""

    seed: int
    kills: int
    together: int = 8
    epochs: int = 40
    pace: float = 0.45  # mean time between two strikes, when everything goes on at once
    patience: float = 4.0  # so long a strike waits for what the one before it broke to go on
    impatience: float = 0.2  # share of the strikes that do not wait for that
    aim: float = 0.75  # how often a process that works on something is preferred to an idle one
    longest_freeze: float = 8.0
    hosts: float = ACTIONS["host"]  # how often a host is frozen, relative to the other actions
    host_freeze: float = 3.0  # at least; more than a lease, so that its work is taken over and it wakes as a zombie
    longest_cut: float = 6.0
    training_workers: int = 1
    backtest_workers: int = 1
    outside: tuple[str, ...] = ("training,backtest", "training", "training,backtest")
    stuck_after: float = 240.0  # calm, nothing changes for so long: broken
    longest_rest: float = 900.0  # calm for so long and still not complete: broken
