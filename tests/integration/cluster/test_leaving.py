"""Asked to leave, by whatever way, a cluster ends with exit code 0 and leaves nothing behind."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from django_q.tasks import async_task

from research.models import Operation
from research.services import clusters
from tests.integration.cluster.process import ClusterProcess
from tests.integration.cluster.rows import queued_design
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.scenario(32)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_main_process_ends_it(number: int, tmp_path: Path) -> None:
    with ClusterProcess(tmp_path) as cluster:
        cluster.works()
        row = cluster.row()
        cluster.kill(cluster.main.pid, number)
        code, took = cluster.wait()
    row.refresh_from_db()
    assert (code, took < 9) == (0, True), cluster.text
    assert "killed" not in cluster.text
    assert row.drain_until is not None
    assert row.ended_at is not None


@pytest.mark.scenario(32)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_whole_group_ends_it_too(number: int, tmp_path: Path) -> None:
    with ClusterProcess(tmp_path) as cluster:
        cluster.works()
        cluster.tree()
        os.killpg(cluster.main.pid, number)
        code, _ = cluster.wait()
    assert code == 0, cluster.text
    assert "killed" not in cluster.text


def test_it_can_be_asked_from_afar(tmp_path: Path) -> None:
    with ClusterProcess(tmp_path) as cluster:
        cluster.works()
        clusters.drain(cluster.id, 5)
        code, took = cluster.wait()
    assert (code, took < 9) == (0, True), cluster.text


@pytest.mark.scenario(32)
def test_a_running_operation_has_the_drain_time_to_hand_over(tmp_path: Path) -> None:
    operation = queued_design()
    with ClusterProcess(tmp_path, KTRDR_DRAIN="2") as cluster:
        async_task("tests.integration.cluster.work.hold", operation.pk, 120)
        wait_until(_running(operation), timeout=60, what="the operation runs")
        os.killpg(cluster.main.pid, signal.SIGTERM)
        code, took = cluster.wait()
    operation.refresh_from_db()
    assert (operation.status, operation.reason) == ("failed", "interrupted"), operation.message
    assert code == 0, cluster.text
    assert 1.5 < took < 20
    assert "killed" not in cluster.text


@pytest.mark.scenario(32)
def test_one_that_does_not_hand_over_is_cut_off(tmp_path: Path) -> None:
    with ClusterProcess(tmp_path, KTRDR_DRAIN="0") as cluster:
        task = async_task("time.sleep", 600)
        wait_until(lambda: _taken(task), timeout=60, what="a worker has taken the task")
        cluster.kill(cluster.main.pid, signal.SIGTERM)
        code, took = cluster.wait()
    assert code == 0, cluster.text
    assert took < 30
    assert "was killed" in cluster.text


def _running(operation: Operation):
    return lambda: Operation.objects.running().filter(pk=operation.pk).exists()


def _taken(task: str) -> bool:
    from django.utils import timezone
    from django_q.models import OrmQ

    return any(row.task_id() == task for row in OrmQ.objects.filter(lock__gt=timezone.now()))
