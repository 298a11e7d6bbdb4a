"""Everything a chaos run stands on: KTRDR with its supervisor, a second cluster, workers outside. Kept alive here."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import psutil

from ktrdr_site.environment import PROJECT
from ktrdr_site.processes import dies_with_parent
from tests.chaos.plan import SETTINGS
from tests.chaos.proxy import Proxy
from tests.support.processes import processes_of
from tests.support.stack import MANAGE, Stack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.chaos.plan import Plan

MARK = "CHAOS_RUN"
FAR = "far"  # the family of the workers outside; one token serves them all
PAUSE_S, LONGEST_PAUSE_S, QUICK_S = 0.2, 1.0, 10.0


class Kept:
    """A process started again whenever it has ended, after a pause that grows while it ends quickly."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name, self.command, self.environment, self.log = name, list(command), dict(environment), log
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self._started = self._due = 0.0
        self._quick = 0

    def keep(self) -> None:
        """Call often, from the main thread: the process ends with the thread that started it."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self._quick = self._quick + 1 if now - self._started < QUICK_S else 0
            self._due = now + min(LONGEST_PAUSE_S, PAUSE_S * 2.0**self._quick)
            self.process = None
        if self.process is None and now >= self._due:
            self._start()

    def _start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=dies_with_parent(signal.SIGTERM),
            )  # fmt: skip
        self._started, self.starts = time.monotonic(), self.starts + 1

    def stop(self, patience: float = 30.0) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            raise AssertionError(f"{self.name} did not end within {patience:g} s of SIGTERM") from None


class Stage:
    """Enter to start all and have it up; `keep()` often; leave to stop all and find that nothing is left."""

    def __init__(self, root: Path, plan: Plan, extra: Mapping[str, str] | None = None) -> None:
        self.root, self.plan = root, plan
        arguments = ("--training-workers", str(plan.training_workers), "--backtest-workers", str(plan.backtest_workers))
        mark = {MARK: str(root)}
        self.stack = Stack(root / "data", environment=SETTINGS | mark | dict(extra or {}), arguments=arguments)
        self.proxies: dict[str, Proxy] = {}
        self.outside: list[Kept] = []
        self.cluster = Kept("cluster-2", [*MANAGE, "cluster"], self.stack.environment, root / "cluster-2.log")
        self.supervisor = Kept(
            "supervisor", [*MANAGE, "up", *arguments], self.stack.environment, self.stack.data_dir / "terminal.log"
        )

    def __enter__(self) -> Self:
        self.supervisor.keep()
        self.stack.process = self.supervisor.process
        try:
            self.stack.wait_up(timeout=120)
            token = self.stack.manage_json("workers", "create-token", FAR)["token"]
            self.outside = [self._outside(token, number, kinds) for number, kinds in enumerate(self.plan.outside, 1)]
            self.keep()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for proxy in self.proxies.values():
            proxy.stop()

    @property
    def kept(self) -> list[Kept]:
        return [self.supervisor, self.cluster, *self.outside]

    def keep(self) -> None:
        for one in self.kept:
            one.keep()

    def close(self) -> None:
        """Ask everything to end, in the order of a careful operator; raises `AssertionError` when something stays."""
        for one in (*self.outside, self.cluster, self.supervisor):
            one.stop(60.0)
        wait_until(lambda: not self.processes(), timeout=20, what="no process of the chaos run is left")

    def tops(self) -> list[int]:
        """The living processes among those that are kept: everything of this run hangs below them."""
        return [one.process.pid for one in self.kept if one.process is not None and one.process.poll() is None]

    def processes(self) -> list[psutil.Process]:
        """Every living process of this run, whoever its parent is now."""
        ours = processes_of(self.stack.data_dir)
        known = {process.pid for process in ours}
        return ours + [one for one in psutil.process_iter() if one.pid not in known and self._marked(one)]

    def _marked(self, process: psutil.Process) -> bool:
        try:
            ended = process.status() == psutil.STATUS_ZOMBIE
            return process.pid != os.getpid() and not ended and process.environ().get(MARK) == str(self.root)
        except (psutil.Error, OSError):
            return False

    def _outside(self, token: str, number: int, kinds: str) -> Kept:
        name = f"{FAR}-{number}"
        folder = self.root / name
        folder.mkdir()
        proxy = self.proxies[name] = Proxy(self.stack.port)
        proxy.start()
        shared = {"KTRDR_TESTING", "KTRDR_FAULTS", "KTRDR_DRAIN", MARK}
        environment = {key: value for key, value in self.stack.environment.items()
                       if not key.startswith("KTRDR_") or key in shared}  # fmt: skip
        environment |= {"KTRDR_TOKEN": token}
        command = [sys.executable, "-m", "workers", "--name", name, "--kinds", kinds, "--data-dir", str(folder)]
        command += ["--url", f"http://127.0.0.1:{proxy.port}"]
        return Kept(name, command, environment, folder / "worker.log")
