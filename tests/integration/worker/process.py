"""A real `python -m workers` whose engine is `tests.integration.worker.engine`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Self

import psutil

from ktrdr_site.environment import PROJECT
from ktrdr_site.processes import dies_with_parent
from tests.support.processes import alive
from tests.support.waiting import wait_until
from workers.spool import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class WorkerProcess:
    """Leave the context and neither agent nor children are left."""

    def __init__(self, folder: Path, url: str, *arguments: str, name: str = "w", token: str = "right",
                 before: Callable[[], None] | None = None, **environment: str) -> None:  # fmt: skip
        self.folder, self.name = folder, name
        self.log = folder.parent / f"{folder.name}.log"
        self.spool = folder / "spool" / name / "operations"
        self._command = [sys.executable, "-m", "workers", "--name", name, "--kinds", "training", "--url", url]
        self._command += ["--data-dir", str(folder), *arguments]
        engine = {"KTRDR_TESTING": "1", "KTRDR_TEST_TASKS": "tests.integration.worker.engine:run"}
        kept = {key: value for key, value in os.environ.items() if not key.startswith("KTRDR_")}
        self._environment = kept | engine | {"KTRDR_TOKEN": token} | environment
        self._before = before
        self._seen: set[psutil.Process] = set()

    def __enter__(self) -> Self:
        follow = dies_with_parent()

        def arrange() -> None:
            follow()
            if self._before is not None:
                self._before()

        with self.log.open("ab") as log:
            self.agent = subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=arrange,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self.children()
        self.agent.kill()
        self.agent.wait()
        self.nobody_left()

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def children(self) -> list[psutil.Process]:
        try:
            found = psutil.Process(self.agent.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        self._seen |= set(found)
        return found

    def child(self) -> psutil.Process:
        """The process that runs the operation: the one that said so."""
        pid = wait_until(self._running_child, timeout=15, what=f"a child runs:\n{self.text}")
        process = psutil.Process(pid)
        self._seen.add(process)
        return process

    def _running_child(self) -> int:
        words = [line.rsplit(" ", 1)[1] for line in self.text.splitlines() if "started in process" in line]
        return int(words[-1]) if words else 0

    def send(self, number: int) -> None:
        self.children()
        self.agent.send_signal(number)

    def end(self, timeout: float = 20.0) -> int:
        """Wait for its end; returns the exit code, with nothing of it left."""
        try:
            code = self.agent.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"The worker did not end within {timeout:g} s:\n{self.text}") from None
        self.nobody_left()
        return code

    def nobody_left(self) -> None:
        wait_until(
            lambda: not any(process.is_running() and alive(process.pid) for process in self._seen),
            timeout=5, what="no child of the worker is left", interval=0.01,
        )  # fmt: skip

    def kill(self) -> None:
        """SIGKILL the agent; its children follow."""
        self.send(signal.SIGKILL)
        self.end()

    def spooled(self, operation: int) -> Outcome | None:
        path = self.spool / str(operation) / "outcome.json"
        return Outcome.model_validate_json(path.read_bytes()) if path.exists() else None

    def spool_is_empty(self) -> bool:
        return not list(self.spool.iterdir())
