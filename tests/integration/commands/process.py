"""A command as a process of its own, against the test database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Self

from ktrdr_site.environment import PROJECT
from ktrdr_site.processes import dies_with_parent
from tests.support.database import database_url
from tests.support.stack import clean_environment
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

MANAGE = [sys.executable, str(PROJECT / "manage.py")]


def environment(folder: Path) -> dict[str, str]:
    return clean_environment(folder, {"DATABASE_URL": database_url(), "COLUMNS": "100"})


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MANAGE, *command], env=environment(folder), capture_output=True, text=True, timeout=60, check=False
    )


class Running:
    """A command under way; what it prints is read without waiting for its end. `tty`: it prints to a terminal."""

    def __init__(self, folder: Path, *command: str, tty: bool = False) -> None:
        self._ours, theirs = os.openpty() if tty else os.pipe()
        self.process = subprocess.Popen(
            [*MANAGE, *command], env=environment(folder), stdin=subprocess.DEVNULL, stdout=theirs,
            stderr=subprocess.STDOUT, preexec_fn=dies_with_parent(signal.SIGKILL),
        )  # fmt: skip
        os.close(theirs)
        os.set_blocking(self._ours, False)
        self._said = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(20)
        os.close(self._ours)

    @property
    def said(self) -> str:
        try:
            while chunk := os.read(self._ours, 65536):
                self._said += chunk
        except OSError:  # nothing more now, or the terminal's other side is closed
            pass
        return self._said.decode()

    def wait_said(self, words: str, *, timeout: float = 30.0) -> None:
        wait_until(lambda: words in self.said or None, timeout=timeout, what=f"it says {words!r}, not {self.said!r}")

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def ended(self, *, timeout: float = 30.0) -> int:
        return self.process.wait(timeout)
