"""What is said alike of operations in the cluster and on workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from research.selectors.pace import pace_of
from research.selectors.standing.base import START_CLUSTER, Code, Standing, goes_on_from, phase, so_far
from research.selectors.times import duration

if TYPE_CHECKING:
    from research.models import Operation
    from research.selectors.standing.situation import Situation

_NEAR_S, _NEAR_SHARE = 60.0, 0.1


def back_off(operation: Operation, situation: Situation) -> Standing | None:
    """It was lost, and waits before it is tried again."""
    if operation.not_before is None or operation.not_before <= situation.now:
        return None
    seconds = f"{(operation.not_before - situation.now).total_seconds():.0f} s"
    most = settings.ENV.max_orphans
    return Standing(
        Code.BACK_OFF,
        f"{phase(operation)} was lost and starts again in {seconds} (try {operation.attempt}); after {most} losses in "
        "a row without a new checkpoint it is given up, so look at its events now.",
        f"starts again in {seconds}", "warn",
    )  # fmt: skip


def overdue(operation: Operation, situation: Situation) -> Standing | None:
    """Its deadline has passed: it is about to be timed out."""
    late = _left(operation, situation)
    if late is None or late > 0:
        return None
    after = goes_on_from(operation.kind, situation.saved(operation))
    return Standing(
        Code.OVERDUE,
        f"{phase(operation)} passed its deadline {duration(-late)} ago: it is timed out now and {after}. "
        f"If it needs longer than {_setting(operation)}, raise that.",
        tone="warn",
    )


def runs(operation: Operation, situation: Situation, where: str, if_it_dies: str) -> Standing:
    """It runs and is heard of; `where` it does and what `if_it_dies`."""
    what = f"{phase(operation)} runs {where}{so_far(operation, situation.saved(operation))}"
    if not situation.led and not situation.clustered:
        sentence = f"{what}, but nothing follows when it ends, for no coordinator leads: {START_CLUSTER}."
        return Standing(Code.RUNS_UNLED, sentence, "", "bad", act=True)
    return (
        _near(operation, situation, what) or _no_progress(operation, situation, what)
        or Standing(Code.RUNS, f"{what}. Nothing to do: {if_it_dies}.", tone="busy")
    )  # fmt: skip


def _near(operation: Operation, situation: Situation, what: str) -> Standing | None:
    left = _left(operation, situation)
    if left is None or left > min(_NEAR_S, _NEAR_SHARE * _deadline(operation)):
        return None
    after = goes_on_from(operation.kind, situation.saved(operation))
    return Standing(
        Code.DEADLINE_NEAR,
        f"{what}. Its deadline ends in {duration(left)}; it is then timed out and {after}. "
        f"If it needs longer than {_setting(operation)}, raise that.",
        tone="warn",
    )


def _no_progress(operation: Operation, situation: Situation, what: str) -> Standing | None:
    """Alive but stuck, perhaps: its process answers, its work does not move."""
    quiet = pace_of(operation, situation.now).quiet_s
    if quiet is None:
        return None
    left = _left(operation, situation) or 0.0
    return Standing(
        Code.NO_PROGRESS,
        f"{what}, without progress for {duration(quiet)}. Its process answers; if the work hangs, cancel the research "
        f"and resume it, or wait: its deadline ends it in {duration(left)}.",
        tone="warn",
    )


def _left(operation: Operation, situation: Situation) -> float | None:
    return None if operation.deadline_at is None else (operation.deadline_at - situation.now).total_seconds()


def _setting(operation: Operation) -> str:
    """`KTRDR_DESIGN_DEADLINE (120 s)`."""
    return f"KTRDR_{operation.kind.upper()}_DEADLINE ({_deadline(operation):g} s)"


def _deadline(operation: Operation) -> float:
    """How long one try may take, in seconds."""
    return float(getattr(settings.ENV, f"{operation.kind}_deadline"))
