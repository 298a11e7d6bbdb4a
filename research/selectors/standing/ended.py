"""Of a research that is over: what to do about it, if anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from research.lifecycle.states import Reason, State
from research.selectors.standing.base import Code, Standing
from research.selectors.standing.silent import since
from research.selectors.workers import WorkerState

if TYPE_CHECKING:
    from research.models import Research
    from research.selectors.standing.situation import Situation


def standing(research: Research, situation: Situation) -> Standing:
    if research.state == State.CANCELLED:
        return _cancelled(research, situation)
    if research.state == State.FAILED:
        return _failed(research)
    label = (research.verdict or {}).get("label", "it has its verdict")
    return Standing(Code.COMPLETED, f"Complete: {label}.", tone="good")


def _failed(research: Research) -> Standing:
    said = research.message.rstrip()
    if research.reason == Reason.GAVE_UP:
        sentence = f"{said} To go on from its last checkpoint: manage.py research resume {research.pk}."
        return Standing(Code.GAVE_UP, sentence, "", "bad", act=True)
    sentence = (
        f"{said} The same would happen again: mend the strategy or the data and start another research. If the cause "
        f"lay outside, such as a full disk, mend that and resume: manage.py research resume {research.pk}."
    )
    return Standing(Code.FAILED, sentence, "", "bad", act=True)


def _cancelled(research: Research, situation: Situation) -> Standing:
    view = situation.stopping.get(research.pk)
    resume = f"To go on where it stopped: manage.py research resume {research.pk}."
    if view is None or view.state == WorkerState.GONE:
        return Standing(Code.CANCELLED, f"{research.message} {resume}")
    if view.state in (WorkerState.SUSPECT, WorkerState.DISCONNECTED):
        told = f"The {since(view)} and is told to stop when it is back; nothing it sends counts."
    else:
        told = f"Worker {view.name} is stopping it, which takes 10 s at most; nothing it still sends counts."
    return Standing(Code.CANCELLING, f"{research.message} {told} {resume}")
