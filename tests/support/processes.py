"""Real processes in tests: who lives, who belongs to a data folder, a free port."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import psutil

from tests.support.waiting import wait_until


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def alive(pid: int) -> bool:
    """Whether the process still does something: a zombie does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def processes_of(data_dir: Path) -> list[psutil.Process]:
    """Every living process that works for this data folder, found by its environment or working folder."""
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and _belongs(process, data_dir)]


def assert_no_process_left(data_dir: Path, *, timeout: float = 20.0) -> None:
    def none_left() -> bool:
        return not processes_of(data_dir)

    try:
        wait_until(none_left, timeout=timeout, what=f"no process of {data_dir} is left")
    except AssertionError as problem:
        left = [f"{p.pid} {' '.join(p.cmdline())}" for p in processes_of(data_dir)]
        raise AssertionError(f"{problem}; left: {left}") from None


def _belongs(process: psutil.Process, data_dir: Path) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        working = Path(process.cwd())
        return working.is_relative_to(data_dir) or process.environ().get("KTRDR_DATA_DIR") == str(data_dir)
    except (psutil.Error, OSError):
        return False
