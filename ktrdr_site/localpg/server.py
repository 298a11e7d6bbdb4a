"""Start, watch and stop the embedded server from Python."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ktrdr_site.environment import PROJECT
from ktrdr_site.localpg import connection, lock
from ktrdr_site.localpg.errors import LocalPostgresError, NotRunning
from ktrdr_site.localpg.place import Place
from ktrdr_site.processes import dies_with_parent

_STOP = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))  # fast, immediate, by force


class Server:
    """The server of one data folder. `options` are further settings, such as `"fsync=off"`."""

    def __init__(self, data_dir: Path, *, options: str = "", account: str = "") -> None:
        self.place = Place(Path(data_dir).resolve())
        self.process: subprocess.Popen[str] | None = None
        self._given = {"KTRDR_POSTGRES_OPTIONS": options, "KTRDR_POSTGRES_ACCOUNT": account}

    def start(self, *, timeout: float = 60.0) -> None:
        """Start it and wait until it takes connections. It stops when this thread ends.

        Raises `AlreadyRunning`, or `LocalPostgresError` with the server's own words.
        """
        given = {name: value for name, value in self._given.items() if value}
        if self.process is not None:
            self.process.poll()  # one that was killed is buried before another takes its place
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ktrdr_site.localpg", "--log"],
            env=os.environ | given | {"KTRDR_DATA_DIR": str(self.place.data_dir)},
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGINT),
        )
        with self.process.stderr or sys.stderr as errors:
            said = errors.read()  # ends when the server takes over
        if said and self._ended():
            self._refused(said.strip())
        self.wait_ready(timeout=timeout)

    def _ended(self) -> bool:
        """Whether the process is gone, given the moment between its last words and its end."""
        try:
            return self.process is None or self.process.wait(timeout=5) is not None
        except subprocess.TimeoutExpired:
            return False  # only a warning

    def _refused(self, said: str) -> None:
        code = self.process.wait() if self.process else 0
        self.process = None
        kinds: list[type[LocalPostgresError]] = [LocalPostgresError, *LocalPostgresError.__subclasses__()]
        raise next((kind for kind in kinds if kind.exit_code == code), LocalPostgresError)(said)

    def wait_ready(self, *, timeout: float = 60.0) -> None:
        """Wait for a real connection. Raises `LocalPostgresError` when the server ends or the time is over."""
        deadline = time.monotonic() + timeout
        while not connection.answers(self.place):
            ended = self.process is not None and self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise LocalPostgresError(f"PostgreSQL does not answer; its log ends:\n{self.log_tail()}")
            time.sleep(0.02)

    def wait(self) -> int:
        """Wait for the end of the server this object started; returns its exit code."""
        if self.process is None:
            raise NotRunning("This PostgreSQL was not started from here.")
        return self.process.wait()

    def running(self) -> bool:
        """Whether the server takes connections now."""
        return connection.answers(self.place)

    def stop(self) -> bool:
        """Stop it, whoever started it, and wait until its last process is gone; False when none ran."""
        if not lock.held(self.place):
            if self.process is not None:
                self.process.wait()
            return False
        for sig, patience in _STOP:
            self._signal(sig)
            if self._gone(patience):
                return True
        raise LocalPostgresError(f"PostgreSQL in {self.place.data_dir} cannot be stopped, not even by force.")

    def _signal(self, sig: int) -> None:
        pid = self.pid()
        if pid is not None:
            os.kill(pid, sig)

    def _gone(self, patience: float) -> bool:
        deadline = time.monotonic() + patience
        while lock.held(self.place):
            if self.process is not None:
                self.process.poll()
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        if self.process is not None:
            self.process.wait()
        return True

    def pid(self) -> int | None:
        """The server's main process, made sure of: it holds the lock and works in the data folder."""
        if self.process is not None and self.process.poll() is None:
            return self.process.pid
        if not lock.held(self.place):
            return None
        try:
            pid = int((self.place.data / "postmaster.pid").read_text().split("\n", 1)[0])
            works_in = Path(f"/proc/{pid}/cwd").resolve(strict=True)
        except (OSError, ValueError):
            return None
        return pid if works_in == self.place.data.resolve() else None

    def log_tail(self, lines: int = 15) -> str:
        try:
            return "\n".join(self.place.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return "(no log)"

    def status(self) -> dict[str, Any]:
        return {
            "running": self.running(),
            "pid": self.pid(),
            "data": str(self.place.data),
            "socket": str(self.place.socket_dir),
            "log": str(self.place.log),
        }
