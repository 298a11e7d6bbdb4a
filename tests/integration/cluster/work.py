"""What the clusters of these tests work at: tasks with the real lock, lease and claim, and no end of their own."""

from __future__ import annotations

import os
import time

from research.lifecycle.states import Reason
from research.models import Operation
from research.runners.hold import Hold
from research.services import clusters, locks, operations
from research.services.change import change
from workers.job import Interrupted


def hold(operation_id: int, deadline: float) -> None:
    """Run an operation until the cluster must have left, then hand it over."""
    cluster = clusters.current()
    assert cluster is not None
    held = Hold(operation_id, cluster)
    assert held.take()
    _claim(operation_id, deadline)
    held.start_renewing()
    try:
        while True:
            held.guard()
            time.sleep(0.02)
    except Interrupted:
        with change() as record:
            operation = Operation.objects.get(pk=operation_id)
            operations.fail(record, operation, reason=Reason.INTERRUPTED, message="Handed over.")
    finally:
        held.release()


def hang(operation_id: int, deadline: float) -> None:
    """Run an operation and never look at anything again."""
    with clusters.working_on(operation_id):
        _claim(operation_id, deadline)
        time.sleep(600)


def _claim(operation_id: int, deadline: float) -> None:
    cluster = clusters.current()
    assert cluster is not None
    with change() as record:
        operation = locks.operations([operation_id])[operation_id]
        operations.claim_in_process(
            record,
            operation,
            cluster=cluster,
            pid=os.getpid(),
            runner=clusters.current_label(),
            lease=5,
            deadline=deadline,
        )
