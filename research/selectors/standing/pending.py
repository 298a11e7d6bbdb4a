"""Of a research that has not begun, or whose next operation is not there yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings

from research.selectors.standing.base import START_CLUSTER, Code, Standing

if TYPE_CHECKING:
    from research.models import Research
    from research.selectors.standing.situation import Situation

_UNLED = f"no coordinator leads: {START_CLUSTER}"


def standing(research: Research, situation: Situation) -> Standing:
    if not situation.led and not situation.clustered:
        return Standing(Code.UNLED, f"It cannot begin: {_UNLED}.", _UNLED, "bad", act=True)
    ahead = situation.pending.index(research.pk) if research.pk in situation.pending else 0
    if situation.active + ahead >= situation.places:
        return _for_a_place(ahead, situation)
    return unled("It cannot begin", situation) or Standing(Code.BEGINS, "It begins in a moment.")


def between(research: Research, situation: Situation) -> Standing:
    """Active, without a live operation: the coordinator's next look takes its next step."""
    words = f"The next step of {research.get_state_display().lower()} is taken in a moment."
    return unled("It stands still", situation) or Standing(Code.BETWEEN, words)


def unled(what: str, situation: Situation) -> Standing | None:
    """Nobody takes the next step. None while somebody leads."""
    if situation.led:
        return None
    if situation.clustered:
        called = "the coordinator is called"
        return Standing(Code.CALLED, "It goes on as soon as the coordinator, which is being called, leads.", called)
    return Standing(Code.UNLED, f"{what}: {_UNLED}.", _UNLED, "bad", act=True)


def _for_a_place(ahead: int, situation: Situation) -> Standing:
    before = f", {ahead} ahead of it" if ahead else ""
    waits = f"waits for a free place: {situation.active} of {situation.places} researches are active{before}"
    more = "a higher KTRDR_MAX_ACTIVE" if settings.ENV.max_active else "another worker"
    sentence = f"It {waits}; it begins by itself when one of them ends, and sooner with {more} or a higher priority."
    return Standing(Code.WAITS_FOR_PLACE, sentence, waits)
