"""`next_step`: what a research needs next. A pure function of its rows, of what is known of its runner, and a clock.

It decides and does nothing; `research.coordinator` applies. The same input gives the same step, cold start or warm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from research.lifecycle.states import (
    COUNTED,
    IN_PROCESS,
    LIVE,
    PHASE_OF,
    RESTARTING,
    Kind,
    Reason,
    State,
    Status,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INTERRUPTED_CAP = 20  # hand-overs in a row without progress before a phase is given up
LONGEST_BACKOFF_S = 60.0
RING_AGAIN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Try:
    """One operation as the decision needs it. `best_unit` is its own highest usable checkpoint; -1 for none."""

    id: int
    kind: Kind
    status: Status
    reason: str = ""
    message: str = ""
    attempt: int = 1
    reported: bool = True
    resumed_from_unit: int = -1
    best_unit: int = -1
    ended_at: datetime | None = None
    rung_at: datetime | None = None
    not_before: datetime | None = None

    @property
    def progressed(self) -> bool:
        """It saved more than it was given."""
        return self.best_unit > self.resumed_from_unit


@dataclass(frozen=True, slots=True)
class Restore:
    """A checkpoint to go on from."""

    checkpoint: int
    unit: int


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of the runner of the live operation. `lost` is None while it may live; otherwise the evidence."""

    lost: Mapping[str, Any] | None = None
    overdue: Mapping[str, Any] | None = None
    doorbell_waits: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    max_orphans: int = 5


@dataclass(frozen=True, slots=True)
class Nothing:
    """Wait: for the runner, or until the moment given."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Orphan:
    operation: int
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TimeOut:
    operation: int
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ring:
    """Ring the doorbell of a queued in-process operation again."""

    operation: int


@dataclass(frozen=True, slots=True)
class Start:
    """Create the next operation of the phase; `delay` seconds of back-off after `continues` ended."""

    kind: Kind
    attempt: int
    continues: int | None = None
    restore: Restore | None = None
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Absorb:
    """The phase has its result: store what it leaves and go on with the next phase."""

    operation: int


@dataclass(frozen=True, slots=True)
class Fail:
    reason: Reason
    message: str


Step = Nothing | Orphan | TimeOut | Ring | Start | Absorb | Fail


def next_step(
    state: State, tries: Sequence[Try], look: Look, restore: Restore | None, now: datetime,
    limits: Limits, counted_from: int = 0,
) -> Step:  # fmt: skip
    """The next step of an active research whose operations so far are `tries`, in order.

    `restore` is the newest usable checkpoint of the present phase. The check for a lost runner comes before anything
    else, and when it acts nothing else does.
    """
    kind = PHASE_OF.get(state)
    if kind is None:
        return Nothing()
    live = next((one for one in tries if one.status in LIVE), None)
    if live is not None:
        return _watch(live, look, now)
    own = [one for one in tries if one.kind == kind]
    done = next((one for one in own if one.status == Status.COMPLETED), None)
    if done is not None:
        return Absorb(done.id)
    return _restart(kind, own, restore, limits, counted_from)


def _watch(live: Try, look: Look, now: datetime) -> Step:
    if live.status == Status.RUNNING:
        if look.lost is not None:
            return Orphan(live.id, look.lost)
        return TimeOut(live.id, look.overdue) if look.overdue is not None else Nothing()
    if live.kind not in IN_PROCESS:
        return Nothing()
    if live.not_before is not None and now < live.not_before:
        return Nothing(until=live.not_before)
    if live.rung_at is not None and now < live.rung_at + RING_AGAIN:
        return Nothing(until=live.rung_at + RING_AGAIN)
    return Nothing() if look.doorbell_waits else Ring(live.id)


def _restart(
    kind: Kind, own: Sequence[Try], restore: Restore | None, limits: Limits, counted_from: int
) -> Step:  # fmt: skip
    last = own[-1] if own else None
    counted = [one for one in own if one.id > counted_from]
    if last is None or not counted:
        return Start(kind, 1, last.id if last else None, restore if last else None)
    if last.reason not in RESTARTING:
        return Fail(Reason(last.reason or Reason.ERROR), last.message)
    lost, handed = streaks(counted)
    if lost >= limits.max_orphans or handed >= INTERRUPTED_CAP:
        return Fail(Reason.GAVE_UP, _gave_up(kind, lost, handed, last))
    return Start(kind, last.attempt + 1, last.id, restore, backoff(lost) if last.reason in COUNTED else 0.0)


def streaks(counted: Sequence[Try]) -> tuple[int, int]:
    """How many tries in a row, counted from the newest, were lost and handed over without a new checkpoint."""
    lost = handed = 0
    for one in reversed(counted):
        if one.progressed:
            break
        if one.reason in COUNTED and one.reported:
            lost += 1
        elif one.reason == Reason.INTERRUPTED:
            handed += 1
    return lost, handed


def backoff(lost: int) -> float:
    """Seconds to wait after so many losses in a row: 0, 1, 2, 4 … (the first is free)."""
    return 0.0 if lost <= 1 else min(2.0 ** (lost - 2), LONGEST_BACKOFF_S)


def _gave_up(kind: Kind, lost: int, handed: int, last: Try) -> str:
    what = f"lost {lost} times" if lost >= handed else f"handed over {handed} times"
    return (
        f"The {Kind(kind).label.lower()} was {what} in a row without a new checkpoint, the last time: {last.message} "
        "Look at its events, mend the cause, then press resume."
    )


def resume_state(*, has_strategy: bool, gates: Mapping[str, Any]) -> State:
    """The phase a pending research goes on in: the first whose result has not been absorbed."""
    if not has_strategy:
        return State.DESIGNING
    training = gates.get("training")
    if training is None:
        return State.TRAINING
    if "backtest" in gates or training.get("skip_backtest"):
        return State.ASSESSING
    return State.BACKTESTING
