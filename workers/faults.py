"""Named fault points between any two writes, for tests: `KTRDR_FAULTS="training.epoch=kill,design.claimed=pause:30"`.

A point does nothing unless `KTRDR_TESTING=1`. Actions: `kill` (SIGKILL of this process), `pause:SECONDS`, `hold` (until
there is a file NAME.go in `KTRDR_FAULTS_DIR`), and each with `@N`: only at the N-th passage. With `KTRDR_FAULTS_DIR`
set, a fault happens once over all processes: a marker file named after the point is made there before it acts.
"""

from __future__ import annotations

import os
import signal
import time
from functools import cache
from pathlib import Path

_passages: dict[str, int] = {}


@cache
def _plan() -> dict[str, str]:
    if os.environ.get("KTRDR_TESTING") != "1":
        return {}
    pairs = (part.partition("=") for part in os.environ.get("KTRDR_FAULTS", "").split(",") if part.strip())
    return {name.strip(): action.strip() for name, _, action in pairs}


def planned() -> bool:
    """Whether this process was told of faults: deaths it sees are then no sign of trouble."""
    return bool(_plan())


def point(name: str) -> None:
    """Pass the fault point `name`: one dictionary look-up when no fault is planned there."""
    action = _plan().get(name)
    if action is None:
        return
    _passages[name] = _passages.get(name, 0) + 1
    verb, _, when = action.partition("@")
    if when and _passages[name] != int(when):
        return
    if _first_time(name):
        _act(name, verb)


def _first_time(name: str) -> bool:
    folder = os.environ.get("KTRDR_FAULTS_DIR")
    if not folder:
        return True
    try:
        (Path(folder) / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _act(name: str, verb: str) -> None:
    action, _, argument = verb.partition(":")
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action == "pause":
        time.sleep(float(argument or 3600))
    elif action == "hold":
        _hold(Path(os.environ["KTRDR_FAULTS_DIR"], f"{name}.go"))
    else:
        raise ValueError(f"KTRDR_FAULTS: unknown action {verb!r}; write kill, pause:SECONDS or hold, or kill@N")


def _hold(until: Path) -> None:
    while not until.exists():
        time.sleep(0.02)
