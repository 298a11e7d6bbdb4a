"""KTRDR without its supervisor: each part started and stopped by itself, as systemd or an operator would."""

from __future__ import annotations

import signal
import subprocess
from typing import Self

from ktrdr_site.environment import PROJECT
from ktrdr_site.localpg import Server
from ktrdr_site.processes import dies_with_parent
from tests.acceptance.recovery.cast import query
from tests.support.processes import assert_no_process_left
from tests.support.stack import MANAGE, Stack, forget_socket_folder
from tests.support.waiting import wait_until

_RUNS = "SELECT 1 FROM research_cluster WHERE label LIKE %s AND ended_at IS NULL"


class Part:
    """One `manage.py` command that runs until it is asked to leave, with its output in `log`."""

    def __init__(self, stack: Stack, *command: str) -> None:
        self.log = stack.data_dir / f"{command[0]}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*MANAGE, *command], env=stack.environment, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True, preexec_fn=dies_with_parent(signal.SIGTERM),
            )  # fmt: skip

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def ask(self) -> None:
        self.process.terminate()

    def left(self) -> int:
        """Its exit code, when it has left; it was asked to."""
        return self.process.wait(60)


class Parts(Stack):
    """PostgreSQL, one web process and one cluster; replace those two with others."""

    def __enter__(self) -> Self:
        self.parts = [Part(self, "localpg", "start")]
        wait_until(Server(self.data_dir).running, timeout=60, what="PostgreSQL runs")
        self.manage("migrate", "--no-input")
        self.web, self.cluster = self.begin_web(), self.begin_cluster()
        return self

    def __exit__(self, *_: object) -> None:
        for part in reversed(self.parts):
            part.ask()
            part.left()
        assert_no_process_left(self.data_dir)
        forget_socket_folder(self.data_dir)

    def begin_web(self) -> Part:
        """Another web process; returns when it answers."""
        self.parts.append(Part(self, "web"))
        self.wait_answers(timeout=60)
        return self.parts[-1]

    def begin_cluster(self) -> Part:
        """Another cluster; returns when it runs."""
        self.parts.append(Part(self, "cluster"))
        label = f"% pid {self.parts[-1].process.pid}"
        wait_until(lambda: query(self, _RUNS, label), timeout=60, what="the cluster runs")
        return self.parts[-1]
