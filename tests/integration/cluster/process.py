"""A real `manage.py cluster` on the tests' database, and a look into its tree."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil
from django_q.tasks import async_task, fetch

from ktrdr_site.environment import PROJECT
from ktrdr_site.processes import dies_with_parent
from research.models import Cluster
from tests.support.database import database_url
from tests.support.processes import alive
from tests.support.stack import MANAGE
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

ONE_OF_EACH = ("sentinel", "monitor", "pusher")


class ClusterProcess:
    """Two phase slots, so four workers. Leave the context and nothing of it is left."""

    slots, workers = 2, 4

    def __init__(self, folder: Path, *, url: str = "", **environment: str) -> None:
        self.log = folder / "cluster.log"
        self.environment = os.environ | {"DATABASE_URL": url or database_url(), "KTRDR_PHASE_SLOTS": str(self.slots)}
        self.environment |= environment
        self.seen: set[int] = set()

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            self.main = subprocess.Popen(
                [*MANAGE, "cluster"],
                env=self.environment,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dies_with_parent(),
            )
        wait_until(self.complete, timeout=60, what=f"the cluster's processes are there:\n{self.text}")
        return self

    def __exit__(self, *_: object) -> None:
        self.tree()
        self.main.kill()
        self.main.wait()
        self.gone()

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def tree(self) -> list[psutil.Process]:
        """All processes below the main."""
        try:
            found = psutil.Process(self.main.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        self.seen |= {process.pid for process in found}
        return found

    def of(self, role: str) -> list[int]:
        """Pids of a role: main, sentinel, monitor, pusher, worker."""
        if role == "main":
            return [self.main.pid]
        return [process.pid for process in self.tree() if self._name(process) == f"ktrdr-{role}"]

    @staticmethod
    def _name(process: psutil.Process) -> str:
        try:
            return str(process.name()) if process.status() != psutil.STATUS_ZOMBIE else ""
        except psutil.NoSuchProcess:
            return ""

    def complete(self) -> bool:
        assert self.main.poll() is None, self.text
        return all(len(self.of(role)) == 1 for role in ONE_OF_EACH) and len(self.of("worker")) == self.workers

    def reader(self) -> int:
        """The worker that waits for a task in the pipe itself: the holder of the queue's read lock."""
        [found] = wait_until(lambda: list(self._readers()), timeout=60, what="one worker reads the queue's pipe")
        return found

    def _readers(self) -> Iterator[int]:
        for pid in self.of("worker"):
            if "pipe" in Path(f"/proc/{pid}/wchan").read_text():
                yield pid

    def kill(self, pid: int, number: int = signal.SIGKILL) -> None:
        self.tree()  # remember who was there
        os.kill(pid, number)

    def row(self) -> Cluster:
        return Cluster.objects.get(label__endswith=f" pid {self.main.pid}")

    @property
    def id(self) -> UUID:
        return self.row().id

    def wait(self, timeout: float = 60.0) -> tuple[int, float]:
        """Wait until it has ended and nothing of it is left. Returns the exit code and how long that took."""
        began = time.monotonic()
        try:
            code = self.main.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"The cluster did not end within {timeout:g} s:\n{self.text}") from None
        self.gone()
        return code, time.monotonic() - began

    def gone(self) -> None:
        def left() -> bool:
            return not any(alive(pid) for pid in self.seen)

        wait_until(left, timeout=30, what=f"no process of the cluster is left of {sorted(self.seen)}", interval=0.005)

    def works(self, timeout: float = 60.0) -> None:
        """A task comes through, and the tree is as it should be."""
        task = async_task("os.getpid", save=True)
        wait_until(lambda: fetch(task) is not None, timeout=timeout, what=f"a task is worked off:\n{self.text}")
        wait_until(self.complete, timeout=timeout, what=f"every process is there again:\n{self.text}")
