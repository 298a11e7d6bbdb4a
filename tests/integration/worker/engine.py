"""The engine of these tests: adds up units, checkpoints each, and does what its spec says at a certain unit."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

from workers.job import Interrupted, InvalidInput, UnusableCheckpoint

if TYPE_CHECKING:
    from workers.job import Job, Reporter

MODEL = b"weights"


def run(job: Job, reporter: Reporter) -> dict[str, Any]:
    """`units` of `pause` seconds; `at` is the unit where `do` happens: a signal's name, "print", "raise", "refuse",
    "hang" or "fill" (a checkpoint of `size` bytes). A checkpoint after `every` so many units."""
    spec = {"units": 3, "pause": 0.0, "at": -1, "do": "", "size": 0, "every": 1} | dict(job.spec)
    first, total = _resume(job)
    if spec.get("needs_beginning") and job.checkpoint is not None:
        raise UnusableCheckpoint("this engine begins at the beginning")
    for unit in range(first, spec["units"]):
        if unit == spec["at"]:
            _do(spec, reporter, unit)
        total += unit
        reporter.metric(unit, {"total": float(total)})
        if unit % spec["every"] == 0:
            reporter.checkpoint(unit, json.dumps({"next": unit + 1, "total": total}).encode())
        reporter.progress(unit + 1, spec["units"], f"unit {unit}")
        if reporter.should_stop():
            raise Interrupted
        time.sleep(spec["pause"])
    reporter.artifact("model", MODEL)
    return {"total": total, "from": first, "inputs": {name: path.stat().st_size for name, path in job.files.items()}}


def _resume(job: Job) -> tuple[int, int]:
    if job.checkpoint is None:
        return 0, 0
    try:
        told = json.loads(job.checkpoint)
        return told["next"], told["total"]
    except (ValueError, KeyError) as error:
        raise UnusableCheckpoint(f"not one of ours: {error}") from error


def _do(spec: dict[str, Any], reporter: Reporter, unit: int) -> None:
    match spec["do"]:
        case "raise":
            raise RuntimeError("the engine broke")
        case "refuse":
            raise InvalidInput("no bars: load some")
        case "print":
            sys.stdout.write('{"event": "checkpoint", "unit": 99}\n')
            sys.stdout.flush()
        case "hang":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        case "fill":
            reporter.checkpoint(unit, b"x" * spec["size"])
        case name:
            sys.stderr.write("last words\n")
            sys.stderr.flush()
            os.kill(os.getpid(), getattr(signal, name))
