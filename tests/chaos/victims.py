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
    below = _children()
    for top in stage.tops():
        for pid in (top, *_all_below(top, below)):
            try:
                process = psutil.Process(pid)
                kind = kind_of(process)
                if kind and process.status() != psutil.STATUS_ZOMBIE:
                    victim = Victim(kind, pid, tuple(_all_below(pid, below)), _worker(process, kind))
                    found.setdefault(kind, []).append(victim)
            except psutil.Error:
                continue
    return found


def _children() -> dict[int, list[int]]:
    """Of every process of this host, read once: asking for those below each of ours would read them all each time."""
    found: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter(["ppid", "create_time"]):
        found.setdefault(process.info["ppid"], []).append(process)
    return {
        parent: [child.pid for child in sorted(children, key=lambda one: (one.info["create_time"] or 0.0, one.pid))]
        for parent, children in found.items()
    }


def _all_below(pid: int, children: dict[int, list[int]]) -> list[int]:
    return [one for child in children.get(pid, []) for one in (child, *_all_below(child, children))]


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
