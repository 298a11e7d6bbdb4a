"""The loop that starts everything in order, starts again what dies, and stops it in reverse order."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ktrdr_site.supervisor.child import Child
from ktrdr_site.supervisor.errors import SupervisorError
from ktrdr_site.supervisor.status import StatusFile
from ktrdr_site.supervisor.terminal import LogTail, Terminal
from ktrdr_site.supervisor.wakeup import Wakeup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ktrdr_site.supervisor.spec import ChildSpec

    Stage = Callable[[], Sequence[ChildSpec]]

QUICK_DEATHS = 3  # after so many in a row the end of the log is shown, and a critical child is given up
_TICK = 0.25
_TICK_STARTING = 0.05


class Supervisor:
    """Runs stages of children: one stage is ready before the next begins; the last started is stopped first.

    A stage is a function, called when its turn comes, so that it can use what the stages before it provide.
    """

    def __init__(self, data_dir: Path, stages: Sequence[Stage], terminal: Terminal, *, url: str, grace: float) -> None:
        self._data_dir = data_dir
        self._stages = stages
        self._terminal = terminal
        self._url = url
        self._grace = grace
        self._running: list[list[Child]] = []
        self._tails: list[LogTail] = []
        self._status = StatusFile(data_dir)
        self._state = "starting"
        self._wakeup = Wakeup()

    def run(self) -> None:
        """Run until asked to stop. Raises `SupervisorError` when something critical cannot be started."""
        try:
            for stage in self._stages:
                self._begin(stage())
            if not self._wakeup.stops:
                self._state = "running"
                self._terminal.say(f"KTRDR is up: {self._url} (Ctrl-C stops it; logs in {self._data_dir / 'logs'})")
            while not self._wakeup.stops:
                self._tick()
        finally:
            self._stop()

    @property
    def _children(self) -> list[Child]:
        return [child for stage in self._running for child in stage]

    def _begin(self, specs: Sequence[ChildSpec]) -> None:
        if self._wakeup.stops:
            return
        children = [Child(spec, self._data_dir / "logs") for spec in specs]
        self._running.append(children)
        for child in children:
            self._tails.append(LogTail(child, self._terminal))
            self._start(child)
        while not self._wakeup.stops and any(self._must_wait_for(child) for child in children):
            self._tick()

    @staticmethod
    def _must_wait_for(child: Child) -> bool:
        """What is critical must be ready; what cannot tell is looked at once, so that its line comes in order."""
        if child.spec.critical:
            return child.state not in {"up", "done"}
        return child.state == "starting" and child.spec.ready is None and not child.spec.once

    def _start(self, child: Child) -> None:
        try:
            child.start()
        except OSError as problem:
            self._failed(child, f"cannot be started: {problem}")

    def _tick(self) -> None:
        starting = any(child.state == "starting" and not child.spec.once for child in self._children)
        self._wakeup.sleep(_TICK_STARTING if starting else _TICK)
        for child in self._children:
            self._look_after(child)
        self._report()

    def _look_after(self, child: Child) -> None:
        code = child.reap()
        if code is not None:
            self._ended(child, code)
        elif child.is_due():
            self._start(child)
        elif child.check_ready() and child.process is not None:
            self._terminal.say(f"{child.spec.name} is up (pid {child.process.pid})")

    def _ended(self, child: Child, code: int) -> None:
        if child.spec.once and (code == 0 or not child.spec.critical):
            child.state = "done"
            if code:
                self._terminal.say(f"{child.spec.name} failed: {child.last_exit}")
            return
        self._failed(child, "")

    def _failed(self, child: Child, reason: str) -> None:
        pause = child.fail(reason)
        when = f"again in {pause:g} s" if pause else "again at once"
        self._terminal.say(f"{child.spec.name} ended ({child.last_exit}): {when}")
        if child.deaths >= QUICK_DEATHS and (child.deaths & (child.deaths - 1) == 0 or child.deaths == QUICK_DEATHS):
            self._terminal.say(f"{child.spec.name} died {child.deaths} times in a row; {child.log} ends:")
            for line in child.log_tail():
                self._terminal.say(f"  {line}", child.spec.name)
        if child.deaths >= QUICK_DEATHS and child.spec.critical and self._state == "starting":
            raise SupervisorError(f"{child.spec.name} cannot be started ({child.last_exit}): see {child.log}")

    def _report(self) -> None:
        try:
            for tail in self._tails:
                tail.follow(quiet=self._state == "stopping")
            self._status.write(self._state, self._url, self._children)
        except OSError as problem:  # a full disk must not take down what still runs
            self._terminal.say(f"The data folder cannot be written: {problem}")

    def _stop(self) -> None:
        self._state = "stopping"
        self._terminal.say("stopping")
        while self._running:
            self._stop_stage(self._running[-1])
            self._running.pop()
        self._state = "stopped"
        self._report()
        self._terminal.say("stopped; nothing runs here any more")

    def _stop_stage(self, children: Sequence[Child]) -> None:
        asked, deadline = self._wakeup.stops, time.monotonic() + self._grace
        for child in children:
            child.ask_to_stop()
        while any(child.process for child in children):
            self._wakeup.sleep(_TICK)
            for child in children:
                if child.reap() is not None:
                    child.state = "stopped"
            self._report()
            if time.monotonic() > deadline or self._wakeup.stops > asked:
                for child in children:
                    child.kill_group()
