"""All of KTRDR, started as a user would start it, for acceptance tests: real processes, real signals.

with Stack(tmp_path / "data", environment={"KTRDR_LEASE": "3"}) as stack:
    stack.manage("data", "synth", "rule")
    old = stack.kill("cluster")
    stack.wait_restarted("cluster", old)
    rows = stack.manage_json("research", "list")
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

import psutil

from ktrdr_site.environment import PROJECT
from ktrdr_site.localpg import Place
from ktrdr_site.processes import dies_with_parent
from ktrdr_site.supervisor import status
from tests.support.processes import alive, assert_no_process_left, free_port
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FAST = "fsync=off"  # only the machine's death would lose anything; killed processes do not
MANAGE = (sys.executable, str(PROJECT / "manage.py"))


def clean_environment(data_dir: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without its own KTRDR settings, pointed at `data_dir`."""
    own = ("KTRDR_", "DATABASE_URL", "DJANGO_SETTINGS_MODULE", "Q_CLUSTER_NAME")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    ours = {"KTRDR_DATA_DIR": str(data_dir), "KTRDR_TESTING": "1", "KTRDR_POSTGRES_OPTIONS": FAST}
    return kept | ours | dict(more or {})


def forget_socket_folder(data_dir: Path) -> None:
    """Remove the empty folder that a server with too long a path had its socket in."""
    folder = Place(data_dir).socket_dir
    if not folder.is_relative_to(data_dir):
        with suppress(OSError):
            folder.rmdir()


class Stack:
    """`manage.py up` on a free port with a data folder of its own. `arguments` go to `up`."""

    def __init__(
        self, data_dir: Path, *, environment: Mapping[str, str] | None = None, arguments: Sequence[str] = ()
    ) -> None:
        self.data_dir = data_dir
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = clean_environment(data_dir, {"KTRDR_PORT": str(self.port)} | dict(environment or {}))
        self.arguments = list(arguments)
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.stop()

    @property
    def terminal(self) -> str:
        """What the supervisor has printed so far, of all starts."""
        path = self.data_dir / "terminal.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self, *, wait: bool = True, timeout: float = 90.0) -> None:
        """Start the supervisor; with `wait`, return when everything runs."""
        with (self.data_dir / "terminal.log").open("ab") as terminal:
            self.process = subprocess.Popen(
                [*MANAGE, "up", *self.arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=terminal,
                stderr=terminal,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGTERM),
            )
        if wait:
            self.wait_up(timeout=timeout)

    def wait_up(self, *, timeout: float = 90.0) -> None:
        def is_up() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, f"manage.py up ended ({self.process.returncode}):\n{self.terminal}"
            now = self.status()
            up = {child["state"] for child in now.get("children", [])} <= {"up", "done"}
            return up and now.get("pid") == self.process.pid and now["state"] == "running"

        wait_until(is_up, timeout=timeout, what="everything runs")

    def status(self) -> dict[str, Any]:
        """`run/supervisor.json`: pid, state, url, children (name, role, pid, state, restarts, last_exit)."""
        return status.read(self.data_dir)

    def pids(self, role_or_name: str) -> list[int]:
        """Main processes of a role (postgres, web, cluster, worker) or of one name (local-training-1)."""
        children = self.status().get("children", [])
        return [c["pid"] for c in children if role_or_name in {c["role"], c["name"]} and c["pid"]]

    def pid(self, role_or_name: str) -> int:
        """The one main process of this role or name, waiting while it is being restarted."""
        [found] = wait_until(lambda: self.pids(role_or_name), timeout=30, what=f"a process for {role_or_name}")
        return found

    def tree(self, role_or_name: str) -> list[psutil.Process]:
        """The main processes and all their descendants."""
        mains = [psutil.Process(pid) for pid in self.pids(role_or_name)]
        return [process for main in mains for process in (main, *main.children(recursive=True))]

    def kill(self, role_or_name: str, sig: int = signal.SIGKILL) -> list[int]:
        """Send `sig` to the main processes of a role or name; returns their pids."""
        pids = self.pids(role_or_name)
        assert pids, f"no process for {role_or_name}: {self.status()}"
        for pid in pids:
            os.kill(pid, sig)
        return pids

    def wait_restarted(self, role_or_name: str, old: Sequence[int], *, timeout: float = 30.0) -> list[int]:
        """Wait until as many others as were in `old` run in their place; returns them."""

        def others() -> list[int]:
            new = [pid for pid in self.pids(role_or_name) if pid not in old and alive(pid)]
            return new if len(new) == len(old) else []

        return wait_until(others, timeout=timeout, what=f"{role_or_name} was started again")

    def wait_answers(self, path: str = "/healthz", *, timeout: float = 30.0) -> None:
        wait_until(lambda: self.get(path) == 200, timeout=timeout, what=f"{path} answers 200")

    def get(self, path: str) -> int | None:
        """HTTP status of a page; None while nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def manage(self, *arguments: str, check: bool = True, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a `manage.py` command against this stack."""
        done = subprocess.run(
            [*MANAGE, *arguments], env=self.environment, capture_output=True, text=True, timeout=timeout, check=False
        )
        assert not check or done.returncode == 0, (
            f"manage.py {arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        )
        return done

    def manage_json(self, *arguments: str, timeout: float = 120) -> Any:
        """What a command answers with `--json`."""
        return json.loads(self.manage(*arguments, "--json", timeout=timeout).stdout)

    def stop(self, sig: int = signal.SIGTERM, *, timeout: float = 60.0) -> int:
        """Stop the supervisor with a signal and make sure that no process is left; returns its exit code."""
        assert self.process is not None, "the stack does not run"
        self.process.send_signal(sig)
        code = self.process.wait(timeout)
        self.process = None
        assert_no_process_left(self.data_dir)
        forget_socket_folder(self.data_dir)
        return code
