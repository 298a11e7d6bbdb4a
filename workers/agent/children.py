"""The processes that do the work: one that runs, one that waits warmed up."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import IO, TYPE_CHECKING

from workers import faults
from workers.agent.notices import understand

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from workers.agent.messages import Start, Told

log = logging.getLogger("ktrdr.worker.child")

KILL_AFTER = 10.0
TAIL_LINES = 60
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS")


class Child:
    """One process of its own session, so that a signal for it reaches whatever it started.

    Must be made in the main thread: the parent-death signal comes when the *thread* that forked ends. `ended` is
    called once, from a thread, with this child, when it is dead, reaped and all it said was heard.
    """

    def __init__(self, kinds: Sequence[str], said: Callable[[Told], None], ended: Callable[[Child, int], None]) -> None:
        self.operation: int | None = None
        self.ready = threading.Event()
        self._said, self._ended = said, ended
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "workers.child", str(os.getpid()), *kinds],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            start_new_session=True,
        )
        self._threads = [self._thread(self._hear), self._thread(self._note)]
        self._thread(self._watch)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def log_tail(self) -> str:
        return "\n".join(self._tail)

    def begin(self, order: Start, folder: Path) -> None:
        """Hand over the job; the process may still be warming up."""
        self.operation = order.assignment.id
        job = {
            "operation": order.assignment.id,
            "kind": order.assignment.kind,
            "spec": order.assignment.spec,
            "seed": order.assignment.seed,
            "files": {name: str(path.resolve()) for name, path in order.files.items()},
            "checkpoint": str(order.checkpoint.resolve()) if order.checkpoint else None,
        }
        path = folder.resolve() / "job.json"
        path.write_text(json.dumps(job))
        self._write({"job": str(path)})

    def ask_to_stop(self) -> None:
        """Have it checkpoint at its next unit and end."""
        self._write({"stop": True})

    def terminate(self) -> None:
        """SIGTERM, and SIGKILL when that did not end it within `KILL_AFTER` seconds."""
        self._signal(signal.SIGTERM)
        timer = threading.Timer(KILL_AFTER, self.kill)
        timer.daemon = True
        timer.start()

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def wait(self, timeout: float) -> None:
        for thread in self._threads:
            thread.join(timeout)

    def _write(self, message: dict[str, object]) -> None:
        pipe = self._process.stdin
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError, ValueError):  # dead, or closed: its end is on the way as an event
                pipe.write(json.dumps(message).encode() + b"\n")
                pipe.flush()

    def _signal(self, number: int) -> None:
        # The zombie keeps its process id until `_watch` reaps it and sets returncode, so no stranger is hit.
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def _watch(self) -> None:
        os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        self._signal(signal.SIGKILL)  # whatever it left behind in its group
        code = self._process.wait()
        self.wait(timeout=5)
        with contextlib.suppress(BrokenPipeError):  # what it never read
            _pipe(self._process.stdin).close()
        self._ended(self, code)

    def _hear(self) -> None:
        with _pipe(self._process.stdout) as lines:
            for line in lines:
                self.ready.set()
                told = understand(self.operation, line) if self.operation is not None else None
                if told is not None:
                    self._said(told)

    def _note(self) -> None:
        with _pipe(self._process.stderr) as lines:
            for line in lines:
                text = line.decode(errors="replace").rstrip()
                self._tail.append(text)
                log.info("operation %s: | %s", self.operation, text)

    def _thread(self, target: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=target, name=f"child-{self.pid}-{target.__name__}", daemon=True)
        thread.start()
        return thread


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise RuntimeError("the child was started without its pipes")
    return pipe


def _environment() -> dict[str, str]:
    """Ours, with one thread for each library (results must not depend on their number) and this package on the path."""
    root = str(Path(__file__).resolve().parents[2])
    known = os.environ.get("PYTHONPATH")
    path = root if not known else f"{root}{os.pathsep}{known}"
    environment = os.environ | dict.fromkeys(ONE_THREAD, "1") | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    environment.pop("KTRDR_TOKEN", None)  # the engine needs none
    return environment


class Children:
    """The child that runs, if any, and the one that waits."""

    PAUSE_AFTER_DEATH = 5.0  # seconds before another is warmed up after one died idle

    def __init__(self, kinds: Sequence[str], said: Callable[[Told], None], ended: Callable[[Child, int], None]) -> None:
        self._kinds, self._said, self._ended = kinds, said, ended
        self._warm: Child | None = None
        self._running: dict[int, Child] = {}
        self._not_before = float("-inf")

    def _make(self) -> Child:
        return Child(self._kinds, self._said, self._ended)

    def keep_warm(self, now: float) -> None:
        if self._warm is None and now >= self._not_before:
            self._warm = self._make()

    def begin(self, order: Start, folder: Path) -> None:
        child = self._warm or self._make()
        self._warm = None
        self._running[order.assignment.id] = child
        child.begin(order, folder)
        log.info("operation %s: started in process %s", order.assignment.id, child.pid)
        faults.point("worker.started")

    def of(self, operation: int) -> Child | None:
        return self._running.get(operation)

    def buried(self, child: Child, now: float) -> None:
        """A child is dead: forget it."""
        if child is self._warm:
            self._warm, self._not_before = None, now + self.PAUSE_AFTER_DEATH
            log.warning("the process that waited for work died: %s", child.log_tail or "it said nothing")
        elif child.operation is not None:
            self._running.pop(child.operation, None)

    def kill_all(self) -> None:
        """End every child and wait a moment for the last words."""
        children = [*self._running.values(), *([self._warm] if self._warm else [])]
        for child in children:
            child.kill()
        for child in children:
            child.wait(timeout=5)
