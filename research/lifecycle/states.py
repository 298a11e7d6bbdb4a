"""The states of a research and of an operation: labels, subsets, transitions; once, for code, pages, API and docs."""

from __future__ import annotations

from typing import Final

from django.db.models import TextChoices


class State(TextChoices):
    """Of a research."""

    PENDING = "pending", "Pending"
    DESIGNING = "designing", "Designing"
    TRAINING = "training", "Training"
    BACKTESTING = "backtesting", "Backtesting"
    ASSESSING = "assessing", "Assessing"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Kind(TextChoices):
    """Of an operation: the phase it is one try at."""

    DESIGN = "design", "Design"
    TRAINING = "training", "Training"
    BACKTEST = "backtest", "Backtest"
    ASSESSMENT = "assessment", "Assessment"


class Status(TextChoices):
    """Of an operation. Finished ones never change again."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Reason(TextChoices):
    """Why an operation (or a research) failed or was cancelled."""

    ORPHANED = "orphaned", "Orphaned: its runner is gone"
    INTERRUPTED = "interrupted", "Interrupted: handed over"
    TIMED_OUT = "timed_out", "Timed out: its deadline passed"
    CANCELLED = "cancelled", "Cancelled"
    CRASHED = "crashed", "Crashed: its process died"
    ERROR = "error", "Error: the work itself failed"
    INVALID_INPUT = "invalid_input", "Invalid input: strategy or data"
    GAVE_UP = "gave_up", "Gave up: lost too often without progress"


ACTIVE: Final = (State.DESIGNING, State.TRAINING, State.BACKTESTING, State.ASSESSING)
ENDED: Final = (State.COMPLETED, State.FAILED, State.CANCELLED)
RESUMABLE: Final = (State.FAILED, State.CANCELLED)

LIVE: Final = (Status.QUEUED, Status.RUNNING)
FINISHED: Final = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)

IN_PROCESS: Final = (Kind.DESIGN, Kind.ASSESSMENT)
EXTERNAL: Final = (Kind.TRAINING, Kind.BACKTEST)

PHASE_OF: Final[dict[State, Kind]] = {
    State.DESIGNING: Kind.DESIGN,
    State.TRAINING: Kind.TRAINING,
    State.BACKTESTING: Kind.BACKTEST,
    State.ASSESSING: Kind.ASSESSMENT,
}
STATE_OF: Final[dict[Kind, State]] = {kind: state for state, kind in PHASE_OF.items()}

RESTARTING: Final = (Reason.ORPHANED, Reason.INTERRUPTED, Reason.TIMED_OUT, Reason.CRASHED)
COUNTED: Final = (Reason.ORPHANED, Reason.TIMED_OUT, Reason.CRASHED)

TRANSITIONS: Final[dict[State, tuple[State, ...]]] = {
    State.PENDING: (State.DESIGNING, State.TRAINING, State.BACKTESTING, State.ASSESSING, State.CANCELLED, State.FAILED),
    State.DESIGNING: (State.TRAINING, State.FAILED, State.CANCELLED),
    State.TRAINING: (State.BACKTESTING, State.ASSESSING, State.FAILED, State.CANCELLED),
    State.BACKTESTING: (State.ASSESSING, State.FAILED, State.CANCELLED),
    State.ASSESSING: (State.COMPLETED, State.FAILED, State.CANCELLED),
    State.COMPLETED: (),
    State.FAILED: (State.PENDING,),
    State.CANCELLED: (State.PENDING,),
}
"""A resumed research passes through `pending`; it then goes on in the phase where it stopped."""

OPERATION_TRANSITIONS: Final[dict[Status, tuple[Status, ...]]] = {
    Status.QUEUED: (Status.RUNNING, Status.FAILED, Status.CANCELLED),
    Status.RUNNING: (Status.COMPLETED, Status.FAILED, Status.CANCELLED),
    Status.COMPLETED: (),
    Status.FAILED: (),
    Status.CANCELLED: (),
}

TONE: Final[dict[str, str]] = {
    "pending": "quiet", "queued": "quiet", "running": "busy", "designing": "busy", "training": "busy",
    "backtesting": "busy", "assessing": "busy", "completed": "good", "failed": "bad", "cancelled": "quiet",
}  # fmt: skip
"""Colour of a state on a page: quiet, busy, good, warn, bad."""
