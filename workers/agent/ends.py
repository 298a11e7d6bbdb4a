"""Ends of an operation that the agent, not the engine, decides. Pure."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from workers.durable import EXIT_DISK
from workers.protocol import ErrorReport
from workers.spool import Outcome

if TYPE_CHECKING:
    from workers.agent.messages import Ended, Uploaded

TAIL = 20_000


def crashed(event: Ended) -> Outcome:
    """The child died without an outcome."""
    message = f"Its process {_how(event.exit_code)} before it had a result."
    if event.exit_code == EXIT_DISK:
        message = f"The worker's disk takes nothing more: {event.log_tail.rpartition(chr(10))[2] or 'it is full'}."
    return _failed(message, "crashed", event.exit_code, event.log_tail[-TAIL:])


def artifact_failed(event: Uploaded) -> Outcome:
    """A file of the result is not in the spool (do it again), or the backend will never take it (give it up)."""
    if event.end == "lost":
        return _failed(f"The artifact {event.blob.name} is not in the spool of the worker.", "crashed")
    return _failed(f"The backend refuses the artifact {event.blob.name}: {event.message}", "error")


def refused_nothing(why: str) -> Outcome:
    """The engine called a checkpoint unusable although it began without one."""
    return _failed(f"The engine refused a checkpoint it was not given: {why}", "error")


def _failed(message: str, reason: str, exit_code: int | None = None, log_tail: str = "") -> Outcome:
    error = {"reason": reason, "message": message, "exit_code": exit_code, "log_tail": log_tail}
    return Outcome(state="failed", error=ErrorReport.model_validate(error))


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    if -code == signal.SIGKILL:
        return "was ended by SIGKILL (as the kernel does when memory runs out)"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
