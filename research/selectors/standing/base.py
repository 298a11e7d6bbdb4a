"""What is said of a research, and what every sentence is made of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from research.lifecycle.states import EXTERNAL, Kind
from research.selectors.pace import UNITS

if TYPE_CHECKING:
    from research.models import Operation

START_CLUSTER = "start a cluster (manage.py up, or manage.py cluster)"


class Code(StrEnum):
    """Every situation a research can be in, for programs; `docs/recovery.md` lists them with what to do."""

    WAITS_FOR_PLACE = "waits_for_place"
    UNLED = "unled"
    CALLED = "called"
    BEGINS = "begins"
    BETWEEN = "between"
    BACK_OFF = "back_off"
    CLUSTER_BUSY = "cluster_busy"
    CLUSTER_LEAVING = "cluster_leaving"
    CLUSTER_WEDGED = "cluster_wedged"
    CLUSTER_TAKES = "cluster_takes"
    UNHEARD = "unheard"
    NO_WORKER = "no_worker"
    WORKERS_SILENT = "workers_silent"
    WORKERS_SUSPECT = "workers_suspect"
    WORKERS_DRAINING = "workers_draining"
    WORKERS_BUSY = "workers_busy"
    AHEAD = "ahead"
    WORKER_TAKES = "worker_takes"
    RUNS = "runs"
    RUNS_UNLED = "runs_unled"
    RUNS_UNHEARD = "runs_unheard"
    NO_PROGRESS = "no_progress"
    DEADLINE_NEAR = "deadline_near"
    OVERDUE = "overdue"
    AMNESTY = "amnesty"
    LOST = "lost"
    GIVEN = "given"
    RETURNING = "returning"
    SUSPECT = "suspect"
    SILENT_TOGETHER = "silent_together"
    DISCONNECTED = "disconnected"
    TAKEN_OVER = "taken_over"
    HANDING_OVER = "handing_over"
    COMPLETED = "completed"
    GAVE_UP = "gave_up"
    FAILED = "failed"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Standing:
    """`waits`: what it waits for, in few words; empty when it does not wait. `act`: nothing happens without a person.

    `tone`: as `lifecycle.states.TONE`.
    """

    code: Code
    sentence: str
    waits: str = ""
    tone: str = "quiet"
    act: bool = False

    @property
    def title(self) -> str:
        """What it comes to, in a word or two."""
        if self.act:
            return "Needs you"
        return "Waits" if self.waits else _TITLES.get(self.code, "Runs")

    @property
    def well(self) -> bool:
        """Nothing to say beyond its progress."""
        return self.code in (Code.RUNS, Code.COMPLETED)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {
            "code": self.code.value, "title": self.title, "sentence": self.sentence, "tone": self.tone, "act": self.act,
        }  # fmt: skip


_TITLES = {
    Code.COMPLETED: "Complete", Code.CANCELLED: "Cancelled", Code.CANCELLING: "Cancelled", Code.BEGINS: "Begins",
    Code.BETWEEN: "Goes on", Code.TAKEN_OVER: "Goes on", Code.LOST: "Goes on", Code.OVERDUE: "Goes on",
    Code.CLUSTER_TAKES: "Begins", Code.WORKER_TAKES: "Begins", Code.GIVEN: "Begins",
}  # fmt: skip


def phase(operation: Operation) -> str:
    """`Training`."""
    return Kind(operation.kind).label


def start_worker(kind: str) -> str:
    """What to type to have a worker."""
    return f"start one (manage.py up on this machine, or python -m workers --kinds {kind} --name NAME --url URL)"


def unit(kind: str, number: int) -> str:
    """`epoch 41`."""
    return f"{UNITS.get(Kind(kind), 'steps').removesuffix('s')} {number:,}"


def goes_on_from(kind: str, saved: int | None) -> str:
    """`goes on from epoch 40`, `is started again from its beginning`."""
    return "is started again from its beginning" if saved is None else f"goes on from {unit(kind, saved)}"


def so_far(operation: Operation, saved: int | None) -> str:
    """`, 41 of 640 epochs`; empty while nothing was counted. A checkpoint may arrive before the progress it holds."""
    if not operation.units or operation.kind not in EXTERNAL:
        return ""
    return f", {max(operation.unit, saved or 0):,} of {operation.units:,} {UNITS.get(Kind(operation.kind), 'steps')}"
