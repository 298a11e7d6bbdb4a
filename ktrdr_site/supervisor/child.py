"""One process of ours: started, watched, ended, with nothing left of its process group."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ktrdr_site.environment import PROJECT
from ktrdr_site.processes import dies_with_parent
from ktrdr_site.supervisor import backoff

if TYPE_CHECKING:
    from pathlib import Path

    from ktrdr_site.supervisor.spec import ChildSpec


class Child:
    """A `ChildSpec` and the process that fulfils it. States: waiting, starting, up, backoff, done, stopped."""

    def __init__(self, spec: ChildSpec, logs: Path) -> None:
        self.spec = spec
        self.log = logs / f"{spec.name}.log"
        self.state = "waiting"
        self.process: subprocess.Popen[bytes] | None = None
        self.restarts = -1
        self.deaths = 0
        self.started = 0.0
        self.due = 0.0
        self.last_exit = ""

    def start(self) -> None:
        """Start the process in a session of its own. Raises `OSError` when that cannot be done."""
        self.state, self.started = "starting", time.monotonic()
        self.restarts += 1
        if self.spec.terminal:
            self.process = self._popen(None)
            return
        with self.log.open("ab") as log:  # written by the child itself: a frozen supervisor freezes nobody
            self.process = self._popen(log.fileno())

    def _popen(self, output: int | None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            list(self.spec.command),
            env=os.environ | dict(self.spec.environment),
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=dies_with_parent(self.spec.death_signal),
        )

    def check_ready(self) -> bool:
        """Whether it has just become ready."""
        if self.state != "starting" or self.spec.once or (self.spec.ready is not None and not self.spec.ready()):
            return False
        self.state = "up"
        return True

    def reap(self) -> int | None:
        """Its exit code if it has just ended (negative: the signal). The rest of its group is killed first."""
        process = self.process
        if process is None or not _has_ended(process.pid):
            return None
        self.kill_group()  # while the unreaped process still keeps its id from being given away
        code = process.wait()
        self.process = None
        self.last_exit = describe_exit(code)
        return code

    def fail(self, reason: str = "") -> float:
        """Note a death; returns the seconds after which it is started again."""
        self.deaths = backoff.deaths_in_a_row(self.deaths, time.monotonic() - self.started)
        pause = backoff.delay(self.deaths)
        self.state, self.due = "backoff", time.monotonic() + pause
        self.last_exit = reason or self.last_exit
        return pause

    def is_due(self) -> bool:
        return self.state == "backoff" and time.monotonic() >= self.due

    def ask_to_stop(self) -> None:
        if self.process is not None:  # not Popen.send_signal, which would reap it behind our back
            os.kill(self.process.pid, self.spec.stop_signal)

    def kill_group(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def log_tail(self, lines: int = 15) -> list[str]:
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - 16384))
                return log.read().decode(errors="replace").splitlines()[-lines:]
        except FileNotFoundError:
            return []

    def status(self) -> dict[str, Any]:
        return {
            "name": self.spec.name,
            "role": self.spec.role,
            "pid": self.process.pid if self.process else None,
            "state": self.state,
            "restarts": max(0, self.restarts),
            "last_exit": self.last_exit,
        }


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def describe_exit(code: int) -> str:
    """`exit code 3`, or `killed by SIGKILL`."""
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
