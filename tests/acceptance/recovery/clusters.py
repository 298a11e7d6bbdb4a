"""A look into running clusters, a second one beside the stack's own, and processes that stand still for a while."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import psutil

from ktrdr_site.environment import PROJECT
from ktrdr_site.processes import dies_with_parent
from tests.acceptance.recovery.cast import query
from tests.support.stack import MANAGE
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.support.stack import Stack

_LEADER = """SELECT t.id, t.label FROM research_term t
             WHERE t.ended_at IS NULL AND t.lease_expires_at > clock_timestamp() AND t.id > %s"""
_TWICE = """
SELECT 'completed twice', research_id, kind FROM research_operation WHERE status = 'completed'
GROUP BY research_id, kind HAVING count(*) > 1
UNION ALL SELECT code, operation_id, '' FROM research_event
WHERE code IN ('operation.started', 'operation.completed') GROUP BY code, operation_id HAVING count(*) > 1
"""


@dataclass(frozen=True)
class Leading:
    """Who leads: the term, the main process of its cluster, and the process that leads."""

    term: int
    main: int
    pid: int


def leader(stack: Stack, *, after: int = 0, timeout: float = 30.0) -> Leading:
    """The leader in office, of a term later than `after`; waits for one."""
    [[term, label]] = wait_until(
        lambda: query(stack, _LEADER, after), timeout=timeout, what=f"somebody leads after term {after}"
    )
    main, pid = map(int, re.findall(r"(?:pid|process) (\d+)", label))
    return Leading(term, main, pid)


def tree(main: int) -> list[int]:
    """The pids of a process and of everything below it."""
    with suppress(psutil.NoSuchProcess):
        top = psutil.Process(main)
        return [top.pid, *(process.pid for process in top.children(recursive=True))]
    return []


def of_role(main: int, role: str) -> list[int]:
    """Pids in a cluster: cluster (its main), sentinel, monitor, pusher, worker."""
    found = []
    for pid in tree(main):
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.name() == f"ktrdr-{role}" and process.status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
    return found


def reader(main: int) -> int:
    """The idle process that waits for a task in the pipe itself, with the read lock of the queue in its hands."""

    def readers() -> list[int]:
        return [pid for pid in of_role(main, "worker") if "pipe" in Path(f"/proc/{pid}/wchan").read_text()]

    [found] = wait_until(readers, timeout=20, what="one process of the cluster reads the queue's pipe")
    return found


def runner(stack: Stack, operation: int) -> int:
    """The pid of the process that runs an in-process operation."""
    [[pid]] = query(stack, "SELECT runner_pid FROM research_operation WHERE id = %s", operation)
    return int(pid)


@contextmanager
def frozen(*pids: int) -> Iterator[None]:
    """SIGSTOP, and SIGCONT when the block ends, however it ends."""
    _signal(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(pids, signal.SIGCONT)


def _signal(pids: Iterable[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def nothing_done_twice(stack: Stack) -> None:
    """No operation began or ended twice, no phase was completed twice, and every invariant holds."""
    assert query(stack, _TWICE) == []
    check = stack.manage("recovery", "check", check=False)
    assert check.returncode == 0, f"recovery check:\n{check.stdout}{check.stderr}"


class SecondCluster:
    """`manage.py cluster` on another host, so to speak: not a child of the supervisor."""

    def __init__(self, stack: Stack, log: Path) -> None:
        self.stack, self.log = stack, log

    def __enter__(self) -> Self:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*MANAGE, "cluster"], env=self.stack.environment, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True, preexec_fn=dies_with_parent(),
            )  # fmt: skip
        wait_until(lambda: of_role(self.pid, "pusher"), timeout=60, what=f"the second cluster runs:\n{self.text}")
        return self

    def __exit__(self, *_: object) -> None:
        everything = tree(self.pid)
        _signal(everything, signal.SIGKILL)
        self.process.wait(10)

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def text(self) -> str:
        return self.log.read_text(errors="replace")
