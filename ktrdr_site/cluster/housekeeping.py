"""Keeps the task queue's tables small, and has what nobody needs any more cleared away."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.utils import timezone
from django_q.conf import Conf
from django_q.models import OrmQ, Task

from research.services import clusters, doorbell

log = logging.getLogger(__name__)
_KEPT_DAYS = 7


def sweep() -> None:
    """Delete tasks whose process died long ago, results after a week, and clusters long gone.

    A dead process's task stays locked in the queue; nothing repeats it (our own tables are the authority), so once it
    is older than any task may run it is only dust. The queue reckons with the application's clock, and so do we.
    """
    now = timezone.now()
    stale = timedelta(seconds=Conf.RETRY - Conf.TIMEOUT - 60)
    dust, _ = OrmQ.objects.filter(lock__gt=now, lock__lt=now + stale).delete()
    old, _ = Task.objects.filter(stopped__lt=now - timedelta(days=_KEPT_DAYS)).delete()
    gone = clusters.forget_old()
    doorbell.call_tidying()
    if dust or old or gone:
        log.info("Swept: %d lost tasks, %d old results, %d clusters of the past.", dust, old, gone)
