"""Of a training or a backtest whose worker is not heard of: what is concluded from that, when, and why not yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from research.selectors.standing.base import START_CLUSTER, Code, Standing, phase, start_worker
from research.selectors.standing.common import overdue
from research.selectors.times import duration
from research.selectors.workers import WorkerState

if TYPE_CHECKING:
    from research.models import Operation
    from research.selectors.standing.situation import Situation
    from research.selectors.workers import WorkerView


def since(view: WorkerView) -> str:
    """`worker gpu has been silent for 12 s`."""
    return f"worker {view.name} has been silent for {duration(round(view.heartbeat_age_s or 0))}"


def _said(view: WorkerView) -> str:
    return f"W{since(view)[1:]}"


def standing(operation: Operation, view: WorkerView, situation: Situation, after: str) -> Standing | None:
    """None while it is heard of."""
    if view.state == WorkerState.SUSPECT:
        return _suspect(operation, view, after)
    if view.state not in (WorkerState.DISCONNECTED, WorkerState.GONE):
        return _returning(view, situation)
    return (
        _together(operation, view, situation) or _unled(operation, view, situation)
        or overdue(operation, situation) or _gone(operation, view, situation, after)
    )  # fmt: skip


def _suspect(operation: Operation, view: WorkerView, after: str) -> Standing:
    left = duration(round(max(0.0, view.lease_s - (view.heartbeat_age_s or 0))))
    sentence = (
        f"{_said(view)}. If it stays so, its lease ends in {left}, and the {operation.kind} {after} on "
        "another idle worker. Nothing to do yet."
    )
    return Standing(Code.SUSPECT, sentence, since(view), "warn")


def _returning(view: WorkerView, situation: Situation) -> Standing | None:
    """We were away ourselves: it has a whole lease to come back."""
    age, heard = view.heartbeat_age_s or 0.0, situation.hears_s
    if heard is None or age <= settings.ENV.suspect or age <= heard:
        return None
    left = duration(round(max(0.0, view.lease_s - heard)))
    waits = f"worker {view.name} to report after our own outage"
    sentence = (
        f"This backend was away and hears workers again since {duration(heard)}: worker {view.name} has {left} more to "
        "report before anything is concluded. Nothing to do."
    )
    return Standing(Code.RETURNING, sentence, waits, "warn")


def _together(operation: Operation, view: WorkerView, situation: Situation) -> Standing | None:
    left = situation.silence_s
    if not left:
        return None
    sentence = (
        f"Most workers fell silent together, worker {view.name} of this {operation.kind} too, so no lease ends for "
        f"{duration(left)} more: look at the network between them and this backend."
    )
    return Standing(Code.SILENT_TOGETHER, sentence, since(view), "warn", act=True)


def _unled(operation: Operation, view: WorkerView, situation: Situation) -> Standing | None:
    if situation.led or situation.clustered:
        return None
    what = f"{_said(view)}, and nobody gives its {operation.kind} to another, for no coordinator leads"
    return Standing(Code.UNLED, f"{what}: {START_CLUSTER}.", since(view), "bad", act=True)


def _gone(operation: Operation, view: WorkerView, situation: Situation, after: str) -> Standing:
    others = [one for one in situation.able(operation.kind) if one.id != view.id]
    if any(one.idle for one in others):
        name = next(one.name for one in others if one.idle)
        sentence = f"{_said(view)}: worker {name} takes the {operation.kind} over, which {after}."
        return Standing(Code.TAKEN_OVER, sentence, "", "warn")
    waits = f"{since(view)}: it may come back, or another {operation.kind} worker takes over"
    if others:
        busy = "the other one is busy" if len(others) == 1 else f"the other {len(others)} are busy"
        sentence = (
            f"{_said(view)} and {busy}: the {operation.kind} {after} on the first that is free, unless "
            f"{view.name} comes back before. Nothing to do."
        )
        return Standing(Code.DISCONNECTED, sentence, waits, "warn")
    sentence = (
        f"{phase(operation)} waits: {since(view)} and no other {operation.kind} worker is connected. Start {view.name} "
        f"again, or {start_worker(operation.kind)}: its work {after}."
    )
    return Standing(Code.DISCONNECTED, sentence, waits, "bad", act=True)
