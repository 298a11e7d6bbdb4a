"""Workers on hosts of their own: the kernel gives each another host name."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Self

from ktrdr_site.environment import PROJECT
from ktrdr_site.processes import dies_with_parent
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.stack import Stack

_NEW_UTS, _NEW_USER = 0x04000000, 0x10000000
_libc = ctypes.CDLL(None, use_errno=True)


class Host:
    """One worker `name` on the host `hostname` (this one when empty), with its folder there."""

    def __init__(self, stack: Stack, name: str, folder: Path, *, token: str, url: str = "", hostname: str = "") -> None:
        self.name, self.folder, self.hostname = name, folder, hostname
        kept = {key: value for key, value in stack.environment.items() if not key.startswith("KTRDR_")}
        self._environment = kept | {"KTRDR_TOKEN": token, "KTRDR_TESTING": "1"}
        self._command = [sys.executable, "-m", "workers", "--name", name, "--kinds", "training,backtest"]
        self._command += ["--url", url or stack.url, "--data-dir", str(folder)]

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "worker.log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command, env=self._environment, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=_both(dies_with_parent(), self._move),
            )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(10)

    @property
    def text(self) -> str:
        return (self.folder / "worker.log").read_text(errors="replace")

    def wait_said(self, words: str, *, timeout: float = 60.0) -> None:
        wait_until(lambda: words in self.text, timeout=timeout, what=f"{self.name} says {words!r}:\n{self.text}")

    def _move(self) -> None:
        """In the child: to a host name of its own; without privileges, in a user namespace of its own."""
        if not self.hostname:
            return
        if _libc.unshare(_NEW_UTS) != 0 and _libc.unshare(_NEW_USER | _NEW_UTS) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        socket.sethostname(self.hostname)


def _both(first: Callable[[], None], then: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        then()  # a change of namespaces may clear the parent-death signal, so that comes last
        first()

    return run
