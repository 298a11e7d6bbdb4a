"""Who can be struck: every process of the stage by the kind of work it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from tests.chaos.stage import Stage

_FORKED: Final = {
    "ktrdr-cluster": "cluster", "ktrdr-sentinel": "sentinel", "ktrdr-monitor": "monitor", "ktrdr-pusher": "pusher",
    "ktrdr-worker": "phase worker",
}  # fmt: skip
_STARTED: Final = (
    ("manage.py up", "supervisor"), ("manage.py web", "web"), ("workers.child", "child"), ("-m workers ", "agent"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Victim:
    """`below`: the pids that go with it. `worker`: the name of the worker it belongs to, if any."""

    kind: str
    pid: int
    below: tuple[int, ...] = ()
    worker: str = ""


def look(stage: Stage) -> dict[str, list[Victim]]:
    """The victims there are now, by kind; in order of birth, so that the same run finds them in the same order."""
    found: dict[str, list[Victim]] = {}
    for process in stage.trees():
        try:
            kind = kind_of(process)
            if kind and process.status() != psutil.STATUS_ZOMBIE:
                below = tuple(child.pid for child in process.children(recursive=True))
                found.setdefault(kind, []).append(Victim(kind, process.pid, below, _worker(process, kind)))
        except psutil.Error:
            continue
    return found


def kind_of(process: psutil.Process) -> str:
    """Empty for what is on its way to become something else."""
    name, command = process.name(), process.cmdline()
    if name in _FORKED:
        return _FORKED[name]
    if name == "postgres":
        return "backend" if command and command[0].startswith("postgres:") else "postmaster"
    words = " ".join(command) + " "
    return next((kind for text, kind in _STARTED if text in words), "")


def _worker(process: psutil.Process, kind: str) -> str:
    agent = process.parent() if kind == "child" else process
    if agent is None or kind not in {"child", "agent"}:
        return ""
    command = agent.cmdline()
    return command[command.index("--name") + 1] if "--name" in command else ""
