"""Each process of the cluster is killed in turn: the work goes on, or the whole tree ends and says that it broke."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psycopg
import pytest
from django_q.tasks import async_task

from ktrdr_site.cluster import EXIT_BROKEN, EXIT_WEDGED
from tests.integration.cluster.process import ClusterProcess
from tests.support.database import database_url
from tests.support.processes import alive
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.scenario(31)
@pytest.mark.parametrize(
    ("role", "expected"),
    [("main", -signal.SIGKILL), ("sentinel", EXIT_BROKEN), ("monitor", EXIT_BROKEN), ("pusher", EXIT_BROKEN)],
)
def test_a_process_that_cannot_be_replaced_takes_the_tree_with_it(role: str, expected: int, tmp_path: Path) -> None:
    with ClusterProcess(tmp_path) as cluster:
        cluster.works()
        cluster.kill(*cluster.of(role))
        code, took = cluster.wait()
    assert code == expected, cluster.text
    assert took < 9, "long before it could be taken for wedged"


@pytest.mark.scenario(31)
def test_idle_and_busy_workers_are_replaced_and_the_work_goes_on(tmp_path: Path) -> None:
    with ClusterProcess(tmp_path) as cluster:
        cluster.works()
        reader = cluster.reader()
        idle = next(pid for pid in cluster.of("worker") if pid != reader)
        cluster.kill(idle)
        wait_until(lambda: not alive(idle), timeout=30, what="the idle worker is dead")
        cluster.works()

        async_task("time.sleep", 600)
        busy = cluster.reader()  # it takes the task; another reads after it
        wait_until(lambda: cluster.reader() != busy, timeout=30, what="a worker has taken the task")
        cluster.kill(busy)
        wait_until(lambda: not alive(busy), timeout=30, what="the busy worker is dead")
        cluster.works()
        assert cluster.main.poll() is None, cluster.text


@pytest.mark.scenario(31)
def test_three_clusters_stuck_in_three_ways_are_given_up_each_for_its_own_reason(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("deaf", "frozen", "locked")]
    for folder in folders:
        folder.mkdir()
    with ExitStack() as stack:
        deaf, frozen, locked = (stack.enter_context(ClusterProcess(folder)) for folder in folders)
        deaf.works()
        claim = stack.enter_context(psycopg.connect(database_url()))
        claim.execute("SELECT 1 FROM research_cluster WHERE id = %s FOR UPDATE", [locked.id])  # a claim, frozen midway
        frozen.kill(*frozen.of("sentinel"), signal.SIGSTOP)
        deaf.kill(deaf.reader())

        assert deaf.wait(60)[0] == EXIT_WEDGED, deaf.text
        assert frozen.wait(60)[0] == EXIT_BROKEN, frozen.text
        assert locked.wait(60)[0] == EXIT_WEDGED, locked.text
    assert "the sentinel hangs" in frozen.text
