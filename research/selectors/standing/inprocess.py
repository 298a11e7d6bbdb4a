"""Of a design or an assessment: what runs in the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from research.selectors.standing.base import START_CLUSTER, Code, Standing, goes_on_from, phase
from research.selectors.standing.common import back_off, overdue, runs
from research.selectors.standing.pending import unled
from research.selectors.times import duration

if TYPE_CHECKING:
    from research.models import Operation
    from research.selectors.standing.situation import Situation

_DEAF_AFTER_S = 7.0  # canaries are rung after 5 s without a finished task, and the cluster is replaced after 10 s


def queued(operation: Operation, situation: Situation) -> Standing:
    return (
        back_off(operation, situation) or _no_place_to_run(operation, situation)
        or unled(f"{phase(operation)} cannot begin", situation)
        or Standing(Code.CLUSTER_TAKES, f"{phase(operation)} is queued; a process of the cluster takes it in a moment.")
    )  # fmt: skip


def _no_place_to_run(operation: Operation, situation: Situation) -> Standing | None:
    what, clusters = f"{phase(operation)} waits", situation.clusters
    if not clusters:
        return None
    staying = [cluster for cluster in clusters if not cluster.leaving]
    if not staying:
        waits = f"the cluster {clusters[0].label} is leaving and takes no new phase"
        return Standing(Code.CLUSTER_LEAVING, f"{what}: {waits}; {START_CLUSTER}.", waits, "warn", act=True)
    if all(cluster.silent_s > _DEAF_AFTER_S for cluster in staying):
        waits = f"the cluster {staying[0].label} has finished no task for {duration(staying[0].silent_s)}"
        sentence = f"{what}: {waits}; one that stays silent for 10 s is replaced by itself. Nothing to do."
        return Standing(Code.CLUSTER_WEDGED, sentence, waits, "warn")
    slots = settings.ENV.phase_slots
    if all(cluster.running >= slots for cluster in staying):
        waits = f"waits for a free process: all {slots * len(staying)} of the cluster are busy"
        sentence = f"{phase(operation)} {waits}; it begins by itself, and sooner with another cluster or a higher "
        return Standing(Code.CLUSTER_BUSY, f"{sentence}KTRDR_PHASE_SLOTS.", waits)
    return None


def running(operation: Operation, situation: Situation) -> Standing:
    after = goes_on_from(operation.kind, situation.saved(operation))
    return (
        _forgiven(operation, situation) or _lost(operation, situation, after)
        or runs(operation, situation, f"on {operation.runner}", f"if its process dies, it {after} in another")
    )  # fmt: skip


def _forgiven(operation: Operation, situation: Situation) -> Standing | None:
    left, reason = situation.amnesty
    if not left:
        return None
    waits = f"no phase is judged for {duration(left)} more: {reason}"
    return Standing(
        Code.AMNESTY,
        f"{phase(operation)} ran on {operation.runner} when last heard of, and {waits}. If its process is gone, it is "
        "started again after that. Nothing to do.",
        waits, "warn",
    )  # fmt: skip


def _lost(operation: Operation, situation: Situation, after: str) -> Standing | None:
    if operation.research_id not in situation.lost:
        return None
    late = overdue(operation, situation)
    if late is not None and situation.led:
        return late
    what = f"{phase(operation)} lost its process ({operation.runner})"
    nobody = unled(f"{what} and cannot be started again", situation)
    return nobody or Standing(Code.LOST, f"{what} and {after} in a moment.", tone="warn")
