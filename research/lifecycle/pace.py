"""How often workers call and how long their silence is borne: stretched together when there are many. Pure."""

from __future__ import annotations

LONGEST_HEARTBEAT_S = 30.0  # a call may be held for so long at most, and a held call is a heartbeat
EASING = 0.8  # of what was told before: the least that may be told next


def stretch(connected: int, *, heartbeat: float, rate: float) -> float:
    """By what heartbeat and lease are multiplied so that all workers together call at most `rate` times a second.

    At least 1; `heartbeat` is the plain one in seconds, never stretched beyond `LONGEST_HEARTBEAT_S`.
    """
    if heartbeat <= 0 or rate <= 0:
        return 1.0
    return max(1.0, min(connected / (heartbeat * rate), LONGEST_HEARTBEAT_S / heartbeat))


def told_next(told: float, wanted: float) -> float:
    """What a worker that was told `told` is told now.

    Longer at once, shorter in steps: an answer that is lost leaves the worker at its old pace, and the lease that is
    then counted, a little shorter than the old one, still bears several of its heartbeats.
    """
    return max(wanted, told * EASING, 1.0)


def stretched(heartbeat_told: float, heartbeat: float) -> float:
    """By what a worker is stretched that was told to call every `heartbeat_told` seconds instead of `heartbeat`."""
    return max(1.0, heartbeat_told / heartbeat) if heartbeat > 0 else 1.0


def stretched_sql(worker: str) -> str:
    """The same in SQL, of the `research_worker` row named `worker`; the plain one is the parameter `heartbeat`."""
    return f"greatest(1, {worker}.heartbeat_s / nullif(%(heartbeat)s, 0))"
