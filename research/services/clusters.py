"""Clusters: which one this process belongs to, that it lives, that it works, and that it is asked to leave."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from django.db import connection
from django.db.models.functions import Least

from ktrdr_site.cluster.seats import working_on
from research.models import Cluster, Operation, Term
from research.models.clock import DatabaseNow, In
from research.services import terms

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Sign", "current", "current_label", "drain", "draining", "end", "forget_old", "note", "overdue"]
__all__ += ["register", "stamp", "work_left", "working_on"]

_KEPT_DAYS = 7


class _Here:
    cluster: UUID | None = None
    label = ""


@dataclass(frozen=True, slots=True)
class Sign:
    """What the main process learns when it notes itself. Times are the database's, UTC."""

    stamped_at: datetime
    drain_left: float | None  # seconds until it must have left; None: it was not asked to
    led: bool  # somebody leads, in whatever cluster


def current() -> UUID | None:
    """The cluster this process belongs to: a fresh uuid for every start, the same in all its processes."""
    return _Here.cluster


def current_label() -> str:
    """`HOST pid PID` of the cluster's main process; for people, never for decisions. Empty outside a cluster."""
    return _Here.label


def _own() -> UUID:
    if _Here.cluster is None:
        raise RuntimeError("This process belongs to no cluster: only what `manage.py cluster` starts does.")
    return _Here.cluster


def register() -> UUID:
    """Make this process the main of a new cluster. Call before any fork."""
    _Here.cluster, _Here.label = uuid4(), f"{socket.gethostname()} pid {os.getpid()}"
    _write()
    return _Here.cluster


def _write() -> None:
    now = DatabaseNow()
    Cluster.objects.create(id=_own(), label=_Here.label, started_at=now, stamped_at=now, noted_at=now)


def note() -> Sign:
    """Note that this cluster's main process lives; one statement. A row that was lost (a restored database) is back."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE research_cluster SET noted_at = clock_timestamp() WHERE id = %s
                RETURNING stamped_at, extract(epoch FROM drain_until - clock_timestamp())::float8, {terms.LED_SQL}""",  # noqa: S608 - our own constant
            [_own()],
        )
        row = cursor.fetchone()
    if row is None:
        _write()
        return note()
    return Sign(*row)


def stamp() -> None:
    """A task of this cluster has just finished. A connection that the database dropped is opened again."""
    if connection.connection is not None and not connection.is_usable():
        connection.close()
    Cluster.objects.filter(pk=_own()).update(stamped_at=DatabaseNow())


def drain(cluster: UUID, seconds: float) -> None:
    """Have a cluster take no new phase, hand over what runs within `seconds`, and leave. The earlier end counts."""
    Cluster.objects.filter(pk=cluster, ended_at__isnull=True).update(drain_until=Least("drain_until", In(seconds)))


def draining() -> bool:
    """Whether this process's cluster is to take nothing new; False outside a cluster."""
    cluster = current()
    return cluster is not None and Cluster.objects.filter(pk=cluster, drain_until__isnull=False).exists()


def work_left(cluster: UUID) -> tuple[int, bool]:
    """How many of its operations run, and whether it leads."""
    running = Operation.objects.running().filter(cluster=cluster).count()
    return running, Term.objects.filter(cluster=cluster, ended_at=None, lease_expires_at__gt=DatabaseNow()).exists()


def overdue(operations: dict[int, int], *, grace: float) -> list[int]:
    """Those pids of `operations` (operation ids by pid) that are past their deadline by more than `grace` seconds.

    Whether the operation was already failed as timed out plays no part: its process must go all the same.
    """
    late = Operation.objects.filter(cluster=_own(), pk__in=operations.values(), deadline_at__lt=In(-grace))
    found = dict(late.values_list("pk", "runner_pid"))
    return [pid for pid, operation in operations.items() if found.get(operation) == pid]


def end() -> None:
    """This cluster ends by its own will."""
    Cluster.objects.filter(pk=_own()).update(ended_at=DatabaseNow())


def forget_old() -> int:
    """Delete clusters that nobody has noted for a week; returns how many."""
    return Cluster.objects.filter(noted_at__lt=In(-_KEPT_DAYS * 86400)).delete()[0]
