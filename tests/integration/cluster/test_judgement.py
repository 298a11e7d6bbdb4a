"""What the main process concludes, and what not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil
import pytest
from django.utils import timezone
from django_q.models import OrmQ, Task
from django_q.tasks import async_task

from research.models import Cluster, Operation
from research.models.clock import database_now
from tests.integration.cluster.process import ClusterProcess
from tests.integration.cluster.rows import queued_design
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.scenario(43)
def test_all_slots_busy_is_not_wedged(tmp_path: Path) -> None:
    with ClusterProcess(tmp_path) as cluster:
        cluster.works()
        for _ in range(cluster.slots):
            async_task("time.sleep", 600)
        began = database_now()
        wait_until(lambda: (database_now() - began).total_seconds() > 13, timeout=60, what="the limit has passed twice")
        row = cluster.row()
        assert cluster.main.poll() is None, cluster.text
        assert (database_now() - row.stamped_at).total_seconds() < 8
        assert OrmQ.objects.filter(lock__gt=timezone.now()).count() == cluster.slots, "both still run"
        assert OrmQ.objects.filter(lock__lte=timezone.now()).count() <= 1, "canaries do not pile up"
        assert not Task.objects.filter(name="canary").exists(), "and leave no trace"


@pytest.mark.scenario(28)
def test_a_process_that_hangs_past_its_deadline_is_killed_alone(tmp_path: Path) -> None:
    operation = queued_design()
    with ClusterProcess(tmp_path) as cluster:
        async_task("tests.integration.cluster.work.hang", operation.pk, 0.2)
        pid = wait_until(lambda: Operation.objects.get(pk=operation.pk).runner_pid, timeout=60, what="it is claimed")
        assert pid in cluster.of("worker")
        wait_until(lambda: not psutil.pid_exists(pid), timeout=60, what=f"process {pid} is gone:\n{cluster.text}")
        cluster.works()
        assert f"operation {operation.pk} is past its deadline" in cluster.text
        assert cluster.main.poll() is None


def test_the_main_process_notes_itself_and_its_row_comes_back_when_lost(tmp_path: Path) -> None:
    with ClusterProcess(tmp_path) as cluster:
        before = cluster.row()
        wait_until(lambda: cluster.row().noted_at > before.noted_at, timeout=30, what="it notes itself")
        Cluster.objects.all().delete()
        wait_until(lambda: Cluster.objects.filter(pk=before.pk).exists(), timeout=30, what="its row is back")
        cluster.works()
