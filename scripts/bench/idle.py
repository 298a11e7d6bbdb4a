"""What an idle system costs: everything of `manage.py up` with two idle workers, PostgreSQL included, by process."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from scripts.bench.figures import Figure
from tests.support.processes import processes_of
from tests.support.stack import Stack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 40.0
SETTLED_S = 15.0  # after the last worker has connected: imports, first looks and caches are over
MOST = 5.0  # per cent of one core, all processes together


def figures() -> Iterator[Figure]:
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(Path(folder) / "data", environment={"KTRDR_POSTGRES_OPTIONS": ""}) as stack,
    ):
        wait_until(lambda: _connected(stack) == 2, timeout=60, what="two workers are connected", interval=1)
        time.sleep(SETTLED_S)
        spent, seconds = _over(stack.data_dir, SECONDS)
    for name, (count, cpu) in sorted(spent.items(), key=lambda item: -item[1][1]):
        yield Figure(f"idle: {name} ({count})", [100 * cpu / seconds], "%")
    total = 100 * sum(cpu for _, cpu in spent.values()) / seconds
    note = f"per cent of one core over {seconds:.0f} s; {sum(count for count, _ in spent.values())} processes"
    yield Figure("idle system, nothing active, two idle workers", [total], "%", {"worst": MOST}, note)


def _connected(stack: Stack) -> int:
    return sum(worker["state"] == "connected" for worker in stack.manage_json("workers", "list"))


def _over(data_dir: Path, seconds: float) -> tuple[dict[str, tuple[int, float]], float]:
    """Processes and their seconds of CPU by name, over so many seconds; and how long it really was."""
    before, began = _times(data_dir), time.perf_counter()
    time.sleep(seconds)
    after, took = _times(data_dir), time.perf_counter() - began
    spent: dict[str, tuple[int, float]] = {}
    for pid, (name, cpu) in after.items():
        count, so_far = spent.get(name, (0, 0.0))
        spent[name] = (count + 1, so_far + cpu - before.get(pid, ("", 0.0))[1])
    return spent, took


def _times(data_dir: Path) -> dict[int, tuple[str, float]]:
    """Name and CPU seconds by pid. What a process's ended children used counts as its own: nothing escapes."""
    found: dict[int, tuple[str, float]] = {}
    for process in processes_of(data_dir):
        try:
            times = process.cpu_times()
            found[process.pid] = (_name(process), sum(times[:4]))  # user, system, and both of ended children
        except psutil.NoSuchProcess:
            continue
    return found


def _name(process: psutil.Process) -> str:
    command = process.cmdline()
    if process.name() == "postgres":
        return _postgres(command[0]) if command and command[0].startswith("postgres:") else "postgres: postmaster"
    if process.name().startswith("ktrdr-"):
        return f"cluster: {process.name().removeprefix('ktrdr-')}"
    words = " ".join(command)
    for text, name in (("manage.py up", "supervisor"), ("manage.py web", "web"), ("workers.child", "worker's child")):
        if text in words:
            return name
    if "--name" in command:
        return f"worker {command[command.index('--name') + 1]}"
    return words[:60] or process.name()


def _postgres(title: str) -> str:
    words = title.removeprefix("postgres:").split()
    return "postgres: sessions" if "[local]" in words or "idle" in words else f"postgres: {' '.join(words[:2])}"
