"""A small model of the rows, the coordinator's apply, and runners, for random orders of events (scenario 30).

Each method is one transaction, as in the services: a crash between any two writes is another method that comes first.
The decision itself is the real `next_step` and `resume_state`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from research.lifecycle import step as steps
from research.lifecycle.states import (
    ACTIVE,
    FINISHED,
    IN_PROCESS,
    LIVE,
    OPERATION_TRANSITIONS,
    PHASE_OF,
    TRANSITIONS,
    Kind,
    Reason,
    State,
    Status,
)
from research.lifecycle.step import Limits, Look, Restore, Try, next_step, resume_state
from tests.unit.lifecycle.cast import NOW

MAX_ORPHANS = 3
NEXT = {Kind.DESIGN: State.TRAINING, Kind.TRAINING: State.BACKTESTING, Kind.BACKTEST: State.ASSESSING,
        Kind.ASSESSMENT: State.COMPLETED}  # fmt: skip
UNITS = 4


class Refused(Exception):
    """A conditional update met 0 rows, or the database refused: nothing was changed."""


@dataclass
class Runner:
    """Something that believes it runs an operation; it is a zombie when the rows say otherwise."""

    operation: int
    unit: int
    heard: bool = True  # not frozen, not cut off


@dataclass(frozen=True)
class Row:
    id: int
    kind: Kind
    status: Status = Status.QUEUED
    reason: str = ""
    attempt: int = 1
    continues: int | None = None
    resumed_from_unit: int = -1
    claimed: bool = False
    reported: bool = False
    rung: bool = False
    not_before: Any = None
    overdue: bool = False


@dataclass
class Checkpoint:
    id: int
    operation: int
    kind: Kind
    unit: int
    usable: bool = True


@dataclass
class World:
    state: State = State.PENDING
    reason: str = ""
    counted_from: int = 0
    strategy: bool = False
    gates: dict[str, Any] = field(default_factory=dict)
    rows: dict[int, Row] = field(default_factory=dict)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    runners: list[Runner] = field(default_factory=list)
    effects: dict[Kind, int] = field(default_factory=dict)
    clock: float = 0.0

    @property
    def now(self) -> Any:
        return NOW + timedelta(seconds=self.clock)

    @property
    def live(self) -> Row | None:
        return next((row for row in self.rows.values() if row.status in LIVE), None)

    # The database ----------------------------------------------------------------------------------------------------

    def move(self, state: State, reason: str = "") -> None:
        if state not in TRANSITIONS[self.state] or self.live is not None:
            raise Refused(f"{self.state} to {state}, live {self.live}")
        self.state, self.reason = state, reason

    def change(self, pk: int, **fields: Any) -> None:
        """A conditional update: it hits only a row that is not finished."""
        row = self.rows[pk]
        status = fields.get("status", row.status)
        if row.status in FINISHED or (status != row.status and status not in OPERATION_TRANSITIONS[row.status]):
            raise Refused(f"operation {pk} is {row.status}")
        self.rows[pk] = replace(row, **fields)

    def usable(self, kind: Kind) -> Checkpoint | None:
        found = [one for one in self.checkpoints if one.kind == kind and one.usable]
        return max(found, key=lambda one: (one.unit, one.id), default=None)

    # The coordinator -------------------------------------------------------------------------------------------------

    def admit(self) -> None:
        if self.state == State.PENDING:
            self.move(resume_state(has_strategy=self.strategy, gates=self.gates))

    def decide(self, look: Look | None = None) -> steps.Step:
        kind = PHASE_OF.get(self.state)
        saved = self.usable(kind) if kind else None
        restore = Restore(saved.id, saved.unit) if saved else None
        tries = [self._as_try(row) for row in self.rows.values()]
        seen = self.look() if look is None else look
        return next_step(self.state, tries, seen, restore, self.now, Limits(MAX_ORPHANS), self.counted_from)

    def look(self, *, taker: bool = True) -> Look:
        """What is known of the runner of the live operation: gone, silent while another could take over, late."""
        live = self.live
        if live is None or live.status != Status.RUNNING:
            return Look()
        runner = next((one for one in self.runners if one.operation == live.id), None)
        silent = runner is not None and not runner.heard and (taker or live.kind in IN_PROCESS)
        return Look(lost={"signal": "lock"} if runner is None or silent else None, overdue={} if live.overdue else None)

    def _as_try(self, row: Row) -> Try:
        own = [one.unit for one in self.checkpoints if one.operation == row.id and one.usable]
        return Try(id=row.id, kind=row.kind, status=row.status, reason=row.reason, message="It was lost.",
                   attempt=row.attempt, reported=row.reported, resumed_from_unit=row.resumed_from_unit,
                   best_unit=max(own, default=-1), rung_at=self.now if row.rung else None,
                   not_before=row.not_before)  # fmt: skip

    def apply(self, step: steps.Step) -> None:
        """As `research.coordinator.apply`, in one transaction under lock."""
        match step:
            case steps.Orphan(pk):
                self.change(pk, status=Status.FAILED, reason=Reason.ORPHANED)
            case steps.TimeOut(pk):
                self.change(pk, status=Status.FAILED, reason=Reason.TIMED_OUT)
            case steps.Ring(pk):
                self.change(pk, rung=True)
            case steps.Start():
                self._start(step)
            case steps.Absorb(pk):
                self._absorb(self.rows[pk])
            case steps.Fail(reason):
                self.move(State.FAILED, reason)

    def _start(self, step: steps.Start) -> None:
        if self.live is not None or PHASE_OF.get(self.state) != step.kind:
            raise Refused("one live operation, of the present phase")
        pk = len(self.rows) + 1
        self.rows[pk] = Row(
            pk, step.kind, attempt=step.attempt, continues=step.continues,
            resumed_from_unit=step.restore.unit if step.restore else -1,
            rung=step.kind in IN_PROCESS and not step.delay,
            not_before=self.now + timedelta(seconds=step.delay) if step.delay else None,
        )  # fmt: skip

    def _absorb(self, row: Row) -> None:
        self.move(NEXT[row.kind])
        self.effects[row.kind] = self.effects.get(row.kind, 0) + 1
        self.strategy = self.strategy or row.kind == Kind.DESIGN
        if row.kind in (Kind.TRAINING, Kind.BACKTEST):
            self.gates[str(row.kind)] = {"passed": True}

    # Operators -------------------------------------------------------------------------------------------------------

    def cancel(self) -> None:
        if self.state not in (*ACTIVE, State.PENDING):
            raise Refused(self.state)
        if self.live is not None:
            self.change(self.live.id, status=Status.CANCELLED, reason=Reason.CANCELLED)
        self.move(State.CANCELLED, Reason.CANCELLED)

    def resume(self) -> None:
        self.move(State.PENDING)
        self.counted_from = len(self.rows)

    # Runners ---------------------------------------------------------------------------------------------------------

    def claim(self, *, heard: bool = True) -> None:
        """`heard`: the claim's answer arrived; an assignment that is lost on the way leaves nobody with it."""
        live = self.live
        if live is None or live.status != Status.QUEUED or (live.not_before and self.now < live.not_before):
            raise Refused("nothing to claim")
        inside = live.kind in IN_PROCESS
        if inside and not live.rung:
            raise Refused("nobody was rung")
        self.change(live.id, status=Status.RUNNING, claimed=True, reported=inside)
        if heard:
            self.runners.append(Runner(live.id, max(live.resumed_from_unit, 0)))

    def report(self, runner: Runner) -> None:
        self._own(runner)
        self.change(runner.operation, reported=True)

    def save(self, runner: Runner) -> None:
        row = self._own(runner)
        if runner.unit >= UNITS:
            raise Refused("it has done all units")
        runner.unit += 1
        self.checkpoints.append(Checkpoint(len(self.checkpoints) + 1, row.id, row.kind, runner.unit))

    def end(self, runner: Runner, status: Status, reason: str = "") -> None:
        self._own(runner)
        self.change(runner.operation, status=status, reason=reason)
        self.runners.remove(runner)

    def _own(self, runner: Runner) -> Row:
        """What a runner sends is about its own operation; it is refused, and the runner stops, when that is over."""
        row = self.rows[runner.operation]
        if row.status != Status.RUNNING:
            self.runners.remove(runner)
            raise Refused(f"operation {row.id} is {row.status}")
        return row
