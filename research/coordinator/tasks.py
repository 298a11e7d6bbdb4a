"""Entry points of the django-q2 cluster into the coordinator."""

from __future__ import annotations

import logging
import os
from uuid import uuid4

import psycopg
from django.db import InterfaceError, OperationalError

from research.coordinator.leader import Leader, NotLeader
from research.coordinator.loop import serve
from research.models import Research
from research.services import clusters, doorbell, terms
from workers.faults import point

log = logging.getLogger(__name__)


def coordinate() -> None:
    """Lead, unless somebody does. A task of the queue; calling it twice is harmless."""
    if clusters.draining() or not Research.objects.unfinished().exists():
        return  # a cluster that leaves leads no more; a web process sees that nobody leads and calls again
    try:
        label = f"cluster {clusters.current_label()}, process {os.getpid()}"
        with Leader(clusters.current() or uuid4(), label) as leader:
            work_left = serve(leader)
    except NotLeader:
        return
    except terms.Deposed as deposed:
        log.warning("%s", deposed)
        return
    except (OperationalError, InterfaceError, psycopg.Error) as lost:
        log.warning("The leader lost the database: %s", str(lost).strip().splitlines()[0])
        return
    point("leader.resigned")
    if work_left:
        doorbell.call_coordinator()


def resume_if_needed() -> bool:
    """Call for a coordinator if researches are unfinished and nobody leads. True when one was called."""
    if terms.led() or not Research.objects.unfinished().exists():
        return False
    doorbell.call_coordinator()
    point("coordinator.called")
    return True
