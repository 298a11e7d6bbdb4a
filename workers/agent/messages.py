"""What happens to an agent (events) and what it then does (effects). Plain values; times are `clock()` seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from workers.protocol import (
        Assignment,
        CheckpointRef,
        ErrorReport,
        MetricPoint,
        Progress,
        SyncAnswer,
    )
    from workers.spool import Outcome


def clock() -> float:
    """Seconds that go on while the machine sleeps, so that a woken worker knows that its lease is over."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class Blob:
    """A file to upload: a checkpoint (name = its unit) or an artifact."""

    kind: Literal["checkpoint", "artifact"]
    name: str

    @property
    def path(self) -> str:
        return f"{self.kind}s/{self.name}"


# --- events


@dataclass(frozen=True, slots=True)
class Answered:
    seq: int
    started: float
    answer: SyncAnswer


@dataclass(frozen=True, slots=True)
class Unanswered:
    """`status` is None when nothing came back."""

    seq: int
    message: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Inputs and checkpoint are on the disk. `candidates` are the older checkpoints left to fall back to."""

    operation: int
    files: Mapping[str, Path]
    checkpoint: Path | None
    candidates: tuple[CheckpointRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Unprepared:
    operation: int
    error: ErrorReport


@dataclass(frozen=True, slots=True)
class Told:
    """A notice of the child: where it stands, a metric, a checkpoint (its unit) or why it cannot use the one given."""

    operation: int
    progress: Progress | None = None
    metric: MetricPoint | None = None
    checkpoint: int | None = None
    unusable: str | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The child is dead and reaped. `exit_code` is negative for a signal; `outcome` is what lay in the spool."""

    operation: int
    exit_code: int
    log_tail: str = ""
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Uploaded:
    """`lost`: the file is no longer in the spool; `gone`: the backend does not want it (any more)."""

    operation: int
    blob: Blob
    end: Literal["stored", "gone", "refused", "failed", "lost"]
    message: str = ""


@dataclass(frozen=True, slots=True)
class DrainAsked:
    by: str


Event = Answered | Unanswered | Prepared | Unprepared | Told | Ended | Uploaded | DrainAsked

# --- effects


@dataclass(frozen=True, slots=True)
class Prepare:
    assignment: Assignment
    candidates: tuple[CheckpointRef, ...]


@dataclass(frozen=True, slots=True)
class Start:
    assignment: Assignment
    files: Mapping[str, Path] = field(default_factory=dict)
    checkpoint: Path | None = None


@dataclass(frozen=True, slots=True)
class AskToStop:
    operation: int


@dataclass(frozen=True, slots=True)
class Kill:
    operation: int


@dataclass(frozen=True, slots=True)
class Write:
    """Spool an outcome the agent decided itself."""

    operation: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class HandOver:
    """End the child now and spool this outcome, unless the child wrote one of its own in time."""

    operation: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Forget:
    """Stop preparing it and remove it from the spool."""

    operation: int


@dataclass(frozen=True, slots=True)
class Upload:
    operation: int
    blob: Blob


@dataclass(frozen=True, slots=True)
class SyncNow:
    """Something happened that the backend should know at once."""


@dataclass(frozen=True, slots=True)
class Leave:
    code: int
    message: str


Effect = Prepare | Start | AskToStop | Kill | Write | HandOver | Forget | Upload | SyncNow | Leave
