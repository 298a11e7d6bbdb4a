"""Ask for a coordinator; what goes wrong there is logged and harms no process of the cluster."""

from __future__ import annotations

import logging

from django.db import connection

from ktrdr_site.cluster.broker import LOST

log = logging.getLogger(__name__)


def resume_if_needed() -> None:
    """Start the coordinator if there is work and nobody leads."""
    from research.coordinator import tasks

    try:
        tasks.resume_if_needed()
    except LOST as problem:
        log.warning("No coordinator could be asked for: %s", str(problem).strip().partition("\n")[0])
        connection.close()
    except Exception:  # a defect there must not end workers in a row
        log.exception("No coordinator could be asked for")
