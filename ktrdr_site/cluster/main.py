"""The main process: starts the tree, watches it, and sees to it that it ends as a whole."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from django.conf import settings
from django_q.conf import Conf

from ktrdr_site.cluster import EXIT_BROKEN, forks
from ktrdr_site.cluster.guard import Guard
from ktrdr_site.cluster.tree import Tree
from ktrdr_site.processes import adopt_orphans
from ktrdr_site.supervisor.wakeup import Wakeup
from research.services import clusters

if TYPE_CHECKING:
    from uuid import UUID

log = logging.getLogger(__name__)

_LOOK = 0.5
_LAST_GRACE = 2.5  # runners look each second whether the drain time is over; then they commit the hand-over
_STOP_PATIENCE = 4.0


def run() -> int:
    """Run a cluster until it is asked to leave or breaks; returns the exit code (0, `EXIT_BROKEN`, `EXIT_WEDGED`)."""
    wakeup = Wakeup()
    adopt_orphans()
    forks.name_this_process("cluster")
    cluster = clusters.register()
    tree = Tree(cluster, Conf.WORKERS)
    tree.start()
    guard = Guard(cluster, tree)
    guard.start()  # after the fork: a forked process must not inherit half a thread
    log.info("Cluster %s runs with %d processes (%s).", _short(cluster), tree.workers, clusters.current_label())
    while not wakeup.stops and guard.drain_left is None:
        wakeup.sleep(_LOOK)
        if code := _broken(tree, guard, cluster):
            return code
    return _leave(tree, guard, cluster)


def _broken(tree: Tree, guard: Guard, cluster: UUID) -> int:
    problem = tree.problem() or ("" if guard.is_alive() else "its guard is gone")
    code, reason = (EXIT_BROKEN, problem) if problem else guard.verdict or (0, "")
    if code:
        log.error("Cluster %s is no use any more and ends: %s.", _short(cluster), reason)
        tree.kill()
        guard.finish(0.5)
    return code


def _leave(tree: Tree, guard: Guard, cluster: UUID) -> int:
    drain = float(settings.ENV.drain) if guard.drain_left is None else max(0.0, guard.drain_left)
    log.info("Cluster %s leaves; what runs has %.1f s to hand over.", _short(cluster), drain)
    guard.leave(drain)
    deadline = time.monotonic() + drain + _LAST_GRACE
    while not guard.idle and time.monotonic() < deadline and not tree.problem():
        time.sleep(0.05)
    if not tree.stop(_STOP_PATIENCE):
        log.warning("Cluster %s did not end by itself and was killed.", _short(cluster))
    guard.finish(1.0)
    log.info("Cluster %s has left.", _short(cluster))
    return 0


def _short(cluster: UUID) -> str:
    return cluster.hex[:8]
