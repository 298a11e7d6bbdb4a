"""A KTRDR whose designs stop in the middle of their work, with as many clusters as a benchmark wants."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import psutil
import psycopg

from ktrdr_site.environment import PROJECT
from ktrdr_site.localpg import address
from ktrdr_site.processes import dies_with_parent
from scripts.bench.inside.starter import starter
from tests.acceptance.recovery.cast import load_sample
from tests.support.stack import MANAGE, Stack
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_POINT = "design.designed"
_ENVIRONMENT = {
    "KTRDR_POSTGRES_OPTIONS": "",  # as a user runs it: every commit reaches the disk
    "KTRDR_MAX_ACTIVE": "1000",
    "KTRDR_MAX_ORPHANS": "1000",
    "KTRDR_FAULTS": f"{_POINT}=pause:3600",
}


class Stage:
    """The first design to come to its pause stays there; later ones pass, until `arm()`. No workers, so that it ends.

    `start` starts a research and returns its id.
    """

    def __init__(self, folder: Path, *, every_design: bool = False, arguments: tuple[str, ...] = ()) -> None:
        self.faults = folder / "faults"
        self.faults.mkdir()
        more = {} if every_design else {"KTRDR_FAULTS_DIR": str(self.faults)}
        none = ("--training-workers", "0", "--backtest-workers", "0")
        self.stack = Stack(folder / "data", environment=_ENVIRONMENT | more, arguments=(*none, *arguments))
        self.start: Callable[[], int]

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.stack)
            load_sample(self.stack)
            self.start = stack.enter_context(starter(self.stack.environment))
            self._all = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._all.close()

    def arm(self) -> None:
        """The next design to come by pauses."""
        (self.faults / _POINT).unlink(missing_ok=True)

    def paused(self) -> bool:
        return (self.faults / _POINT).exists()

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Rows of the stage's database; none while it is away."""
        entry = address(self.stack.data_dir)
        where = {"host": entry["HOST"], "port": entry["PORT"], "user": entry["USER"], "dbname": entry["NAME"]}
        with suppress(psycopg.OperationalError), psycopg.connect(**where, connect_timeout=5) as session:
            return session.execute(sql, parameters).fetchall()
        return []

    def running(self) -> dict[int, int]:
        """Process by operation of the designs that run."""
        sql = "SELECT id, runner_pid FROM research_operation WHERE status = 'running' AND kind = 'design'"
        return {int(operation): int(pid) for operation, pid in self.rows(sql)}

    def wait_running(self, count: int) -> dict[int, int]:
        def there() -> list[dict[int, int]]:
            found = self.running()
            return [found] if len(found) == count else []

        return wait_until(there, timeout=60, what=f"{count} designs run")[0]

    def again(self, lost: dict[int, int], timeout: float = 90) -> list[float]:
        """When each lost design ran again, in seconds since the epoch; waits for all."""
        sql = """SELECT extract(epoch FROM started_at)::float8 FROM research_operation
                 WHERE continues_id = ANY(%s) AND started_at IS NOT NULL"""

        def all_again() -> list[float]:
            found = [float(row[0]) for row in self.rows(sql, list(lost))]
            return found if len(found) == len(lost) else []

        return wait_until(all_again, timeout=timeout, what="every lost design runs again", interval=0.1)

    @contextmanager
    def cluster(self, log: Path) -> Iterator[psutil.Process]:
        """One more cluster, killed at the end if it still lives."""
        with log.open("ab") as out:
            process = subprocess.Popen(
                [*MANAGE, "cluster"], env=self.stack.environment, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=out,
                stderr=out, start_new_session=True, preexec_fn=dies_with_parent(signal.SIGTERM),
            )  # fmt: skip
        try:
            yield psutil.Process(process.pid)
        finally:
            kill(process.pid)
            process.wait(10)


@contextmanager
def stage(*, every_design: bool = False, arguments: tuple[str, ...] = ()) -> Iterator[Stage]:
    with (
        tempfile.TemporaryDirectory() as folder,
        Stage(Path(folder), every_design=every_design, arguments=arguments) as one,
    ):
        yield one


def kill(*pids: int) -> float:
    """SIGKILL the processes and all below them; returns when, in seconds since the epoch."""
    doomed = list(pids)
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            doomed += [child.pid for child in psutil.Process(pid).children(recursive=True)]
    at = time.time()
    for pid in doomed:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return at
