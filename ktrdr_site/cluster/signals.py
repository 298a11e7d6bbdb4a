"""What happens in a worker process when it is born and when it has finished a task."""

from __future__ import annotations

import logging
from typing import Any

from django.db import Error
from django_q.signals import post_execute_in_worker, post_spawn

from ktrdr_site.cluster.broker import LOST
from ktrdr_site.cluster.coordinator import resume_if_needed
from research.services import clusters

log = logging.getLogger(__name__)


def connect() -> None:
    """Call once before the first worker is forked."""
    post_spawn.connect(_spawned)
    post_execute_in_worker.connect(_finished)


def _spawned(**_: Any) -> None:
    resume_if_needed()


def _finished(**_: Any) -> None:
    """The sentinel waits for this, so it never raises and never tries for long."""
    try:
        clusters.stamp()
    except LOST as problem:
        log.warning("A finished task was not stamped: %s", str(problem).strip().partition("\n")[0])
    except Error:
        log.exception("A finished task was not stamped")
