"""The messages of sync, shared by backend and worker. `recovery.md` section 5 is the contract."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal
from uuid import UUID  # noqa: TC003  # pydantic reads it at run time

from pydantic import BaseModel, ConfigDict, Field

PROTOCOL: Final = 1
CHECKSUM_HEADER = "X-Content-SHA256"
INCARNATION_HEADER = "X-Ktrdr-Incarnation"
WORKER_HEADER = "X-Ktrdr-Worker"

WorkerName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
Kind = Literal["training", "backtest"]
Whole = Annotated[int, Field(ge=0, le=2**63 - 1)]  # what a database's bigint holds
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Message(BaseModel):
    """Unknown keys are refused, so that a misspelt one is an error and not a silent default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Progress(Message):
    """`unit` counts epochs (over seeds and folds) or bars, and never falls; `fraction` is 0 to 1."""

    unit: Whole
    units: Whole
    fraction: float = Field(ge=0, le=1)
    message: str = Field(default="", max_length=200)


class MetricPoint(Message):
    """Measures of one unit, such as {"loss": 0.61, "validation_loss": 0.64, "fold": 0, "seed": 0}."""

    unit: Whole
    values: dict[str, float | None]


class OperationReport(Message):
    """What the worker has of one operation. `result` with `completed`; `error` with `failed`.

    `more`: not all metrics fit into this call; an end is told with them, but counts only in the call with the last.
    """

    id: Whole
    state: Literal["running", "completed", "failed", "interrupted"]
    progress: Progress | None = None
    metrics: list[MetricPoint] = Field(default_factory=list, max_length=5000)
    more: bool = False
    checkpoint_unit: Whole | None = None
    result: dict[str, Any] | None = None
    error: ErrorReport | None = None


class ErrorReport(Message):
    """Why an operation failed on the worker: `crashed` = its child process died, `error` = the work itself raised."""

    reason: Literal["crashed", "error", "invalid_input"]
    message: str = Field(max_length=20_000)
    exit_code: int | None = None
    log_tail: str = Field(default="", max_length=20_000)


class SyncRequest(Message):
    """The worker's whole state. `seq` grows within an incarnation; `wait` is the seconds an idle call may be held."""

    protocol: Literal[1] = PROTOCOL
    worker: WorkerName
    incarnation: UUID
    session: Whole | None = None
    seq: Whole
    kinds: list[Kind] = Field(min_length=1)
    draining: bool = False
    host: dict[str, Any] = Field(default_factory=dict)
    operations: list[OperationReport] = Field(default_factory=list, max_length=64)
    wait: float = Field(default=0, ge=0, le=30)


class OperationAnswer(Message):
    """`continue`; `stop` (the worker drops the operation and its spool entry); `acknowledged` (accepted, likewise).

    `metrics_through` is the last unit whose metrics are stored: older ones need not be sent again.
    """

    id: int
    verdict: Literal["continue", "stop", "acknowledged"]
    reason: Literal["", "cancelled", "superseded", "unknown", "invalid"] = ""
    message: str = ""
    metrics_through: int | None = None
    missing_artifacts: list[str] = Field(default_factory=list)


class CheckpointRef(Message):
    """A checkpoint to go on from: GET /api/v1/operations/{operation}/checkpoints/{unit}."""

    operation: int
    unit: int
    sha256: Sha256
    size: int


class InputRef(Message):
    """A file the work needs, fetched once and cached by its hash. `path` is relative to the backend's URL."""

    name: str
    path: str
    sha256: Sha256
    size: int


class Assignment(Message):
    """One new operation, started once per id."""

    id: int
    kind: Kind
    spec: dict[str, Any]
    seed: int
    attempt: int
    inputs: list[InputRef] = Field(default_factory=list)
    checkpoints: list[CheckpointRef] = Field(default_factory=list)  # newest first; the first usable one is used
    deadline_s: float


class SyncAnswer(Message):
    """Everything the worker should now be doing. The answer to a first call carries `session` and nothing else."""

    session: int
    drain: bool = False
    operations: list[OperationAnswer] = Field(default_factory=list)
    assignment: Assignment | None = None
    lease: float
    heartbeat: float


OperationReport.model_rebuild()
