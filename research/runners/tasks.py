"""Entry points of the django-q2 cluster into the runners. Doorbells: they carry an id and no truth."""

from __future__ import annotations

import logging

from research.runners import inprocess
from research.services import clusters

log = logging.getLogger(__name__)


def run_operation(operation_id: int) -> None:
    """Look at an operation and run it if it is queued, due, and this cluster may."""
    cluster = clusters.current()
    if cluster is None:
        log.error("operation %s was rung outside a cluster: start `manage.py cluster`", operation_id)
        return
    if clusters.draining():
        return
    with clusters.working_on(operation_id):
        inprocess.run(operation_id, cluster=cluster, label=f"cluster {clusters.current_label()}")
