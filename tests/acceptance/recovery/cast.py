"""Researches on a running KTRDR: started, followed and looked at as a user would; waits read the database directly."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Self

import psutil
import psycopg

from ktrdr_site.environment import PROJECT
from ktrdr_site.localpg import address
from ktrdr_site.processes import dies_with_parent
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.support.stack import Stack

SAMPLE = PROJECT / "data" / "nasdaq_daily.csv"
MARKET = ("--symbol", "NASDAQ", "--timeframe", "1d")
LONG = (
    "--set",
    "training.epochs=800",
    "--set",
    "training.batch_size=64",
    "--set",
    "training.patience=null",
)  # some 10 s of training, more on a busy machine
SHORT = ("--set", "training.epochs=40", "--set", "training.patience=null")
FAST_LEASES = {"KTRDR_HEARTBEAT": "0.5", "KTRDR_SUSPECT": "1.5", "KTRDR_LEASE": "3", "KTRDR_DB_GRACE": "3"}


def query(stack: Stack, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    """Rows, or none while the database is away."""
    entry = address(stack.data_dir)
    where = {"host": entry["HOST"], "port": entry["PORT"], "user": entry["USER"], "dbname": entry["NAME"]}
    try:
        with psycopg.connect(**where, connect_timeout=5) as session:
            return session.execute(sql, parameters).fetchall()
    except psycopg.OperationalError:
        return []


def load_sample(stack: Stack) -> None:
    stack.manage("data", "load", str(SAMPLE), *MARKET)


def start(stack: Stack, *options: str, brief: str = "Follow the trend", seed: int = 7) -> int:
    """Start a research; returns its id."""
    started = stack.manage_json("research", "start", brief, *MARKET, "--seed", str(seed), *options)
    return int(started["id"])


def show(stack: Stack, research: int) -> dict[str, Any]:
    shown: dict[str, Any] = stack.manage_json("research", "show", str(research))
    return shown


def wait_state(stack: Stack, research: int, *states: str, timeout: float = 120.0) -> str:
    """Wait until the research is in one of these states; returns which. A failed one is shown at once."""

    def state() -> str:
        rows = query(stack, "SELECT state, message FROM research_research WHERE id = %s", research)
        if rows and rows[0][0] == "failed" and "failed" not in states:
            raise AssertionError(f"research {research} failed: {rows[0][1]}")
        return rows[0][0] if rows and rows[0][0] in states else ""

    return wait_until(state, timeout=timeout, what=f"research {research} is {' or '.join(states)}")


def wait_running(stack: Stack, research: int, kind: str, *, unit: int = 0, timeout: float = 60.0) -> int:
    """Wait until an operation of this kind runs and has come past `unit`; returns its id."""
    sql = """SELECT id FROM research_operation
             WHERE research_id = %s AND kind = %s AND status = 'running' AND unit >= %s"""
    found = wait_until(
        lambda: query(stack, sql, research, kind, unit), timeout=timeout, what=f"{kind} of {research} runs at {unit}"
    )
    return int(found[0][0])


def wait_checkpoint(stack: Stack, operation: int, timeout: float = 60.0) -> int:
    """Wait until the backend has a checkpoint of the operation; returns its unit."""
    sql = "SELECT max(unit) FROM research_checkpoint WHERE operation_id = %s HAVING max(unit) IS NOT NULL"
    [[unit]] = wait_until(
        lambda: query(stack, sql, operation), timeout=timeout, what=f"operation {operation} left a checkpoint"
    )
    return int(unit)


def completed(stack: Stack, research: int, timeout: float = 150.0) -> dict[str, Any]:
    """Wait until it is complete and every invariant holds; returns what `research show` says."""
    wait_state(stack, research, "completed", timeout=timeout)
    check = stack.manage("recovery", "check", check=False)
    assert check.returncode == 0, f"recovery check:\n{check.stdout}{check.stderr}"
    shown = show(stack, research)
    assert shown["state"] == "completed"
    assert shown["verdict"]["label"] in {"promising", "inconclusive", "reject"}
    return shown


def all_completed(stack: Stack, researches: Iterable[int]) -> list[dict[str, Any]]:
    """As `completed`, of several; the invariants are looked at once, at the end."""
    several = list(researches)
    for research in several:
        wait_state(stack, research, "completed")
    return [*(show(stack, research) for research in several[:-1]), completed(stack, several[-1])]


def tries(shown: dict[str, Any], kind: str) -> list[tuple[str, str]]:
    """Status and reason of each operation of a kind, in order."""
    return [(one["status"], one["reason"]) for one in shown["operations"] if one["kind"] == kind]


def recoveries(shown: dict[str, Any]) -> list[str]:
    return [event["code"] for event in shown["events"] if event["topic"] == "recovery"]


def kill_tree(stack: Stack, role_or_name: str) -> list[int]:
    """SIGKILL a main process and everything below it, as a power cut would; returns the pids of the main processes."""
    mains = stack.pids(role_or_name)
    for process in stack.tree(role_or_name):
        _kill(process.pid)
    return mains


def kill_backend(stack: Stack) -> None:
    """SIGKILL supervisor, web, cluster and PostgreSQL with all their children, and wait until they are dead."""
    assert stack.process is not None
    supervisor = psutil.Process(stack.process.pid)
    everything = [supervisor, *supervisor.children(recursive=True)]
    for process in everything:
        _kill(process.pid)
    stack.process.wait(10)
    psutil.wait_procs(everything, timeout=10)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@dataclass
class OutsideWorker:
    """A worker on another machine, so to speak: its own folder, and not a child of the supervisor."""

    stack: Stack
    name: str
    kinds: str
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        token = _token(self.stack, re.sub(r"-\d+$", "", self.name))
        kept = {name: value for name, value in self.stack.environment.items() if not name.startswith("KTRDR_")}
        with (self.folder / "worker.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "workers", "--name", self.name, "--kinds", self.kinds, "--url", self.url,
                 "--data-dir", str(self.folder)],
                env=kept | self.faults | {"KTRDR_TOKEN": token, "KTRDR_TESTING": "1"}, cwd=PROJECT,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, preexec_fn=dies_with_parent(),
            )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    @property
    def url(self) -> str:
        return self.stack.url

    @property
    def faults(self) -> dict[str, str]:
        """Those of the backend, unless it has its own."""
        return {name: value for name, value in self.stack.environment.items() if name.startswith("KTRDR_FAULTS")}

    @property
    def text(self) -> str:
        return (self.folder / "worker.log").read_text(errors="replace")


@cache
def _token(stack: Stack, family: str) -> str:
    """One token serves NAME and all of NAME-1, NAME-2, …"""
    return str(stack.manage_json("workers", "create-token", family)["token"])


def write_json(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path
