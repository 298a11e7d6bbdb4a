"""Run one job: call the engine and write down how it ended, durably, before anybody is told."""

from __future__ import annotations

import importlib
import json
import os
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from workers import faults
from workers.child.plain import plain
from workers.durable import is_disk_trouble, write_durably
from workers.job import Interrupted, InvalidInput, Job, UnusableCheckpoint

if TYPE_CHECKING:
    from workers.child.reporter import SpoolReporter
    from workers.job import Task

MAX_RESULT = 1_000_000
MAX_MESSAGE = 20_000


def engine(kind: str) -> Task:
    """The engine of a kind, imported when it is asked for."""
    name = os.environ.get("KTRDR_TEST_TASKS", "") if os.environ.get("KTRDR_TESTING") == "1" else ""
    module, _, function = (name or f"workers.{kind}:run").partition(":")
    return cast("Task", getattr(importlib.import_module(module), function))


def load_job(path: Path) -> Job:
    """The job as the agent wrote it; the checkpoint is read here, so that its bytes never pass through the agent."""
    told = json.loads(path.read_bytes())
    checkpoint = Path(told["checkpoint"]).read_bytes() if told["checkpoint"] else None
    files = {name: Path(file) for name, file in told["files"].items()}
    return Job(told["operation"], told["kind"], told["spec"], told["seed"], checkpoint, files)


def perform(job: Job, reporter: SpoolReporter, folder: Path) -> None:
    """Do the work and write `outcome.json`. Raises `UnusableCheckpoint`, or `OSError` when the disk takes nothing more,
    and writes nothing then."""
    try:
        end = _completed(engine(job.kind)(job, reporter), reporter)
    except UnusableCheckpoint:
        raise
    except Interrupted:
        end = {"state": "interrupted"}
    except InvalidInput as error:
        end = _failed("invalid_input", str(error) or "the input cannot be used")
    except MemoryError:
        end = _failed("crashed", "It ran out of memory.", traceback.format_exc())
    except Exception as error:  # whatever the engine raises is the operation's end, with its traceback
        if is_disk_trouble(error):
            raise
        end = _failed("error", f"{type(error).__name__}: {error}", traceback.format_exc())
    faults.point("worker.outcome.decided")
    end |= {"metrics": reporter.metrics, "progress": reporter.last_progress}
    write_durably(folder / "outcome.json", json.dumps(end).encode())
    faults.point("worker.result.spooled")


def _completed(result: Any, reporter: SpoolReporter) -> dict[str, Any]:
    result = plain(result)
    if not isinstance(result, dict):
        raise TypeError(f"the engine returned a {type(result).__name__}, not a dict")
    listed = result.setdefault("artifacts", reporter.artifacts)
    if listed != reporter.artifacts:
        raise ValueError(f"the result lists the artifacts {listed}, written were {reporter.artifacts}")
    size = len(json.dumps(result))
    if size > MAX_RESULT:
        raise ValueError(f"the result is {size} bytes long, at most {MAX_RESULT} are sent: write an artifact instead")
    return {"state": "completed", "result": result, "artifacts": sorted(reporter.artifacts)}


def _failed(reason: str, message: str, trace: str = "") -> dict[str, Any]:
    error = {"reason": reason, "message": message[:MAX_MESSAGE], "log_tail": trace[-MAX_MESSAGE:]}
    return {"state": "failed", "error": error}
