"""The hold-out belongs to the market: it never moves back, and every opening is counted and told."""

from __future__ import annotations

import pytest

from research.lifecycle.states import State
from research.models import Event, Holdout, Research
from research.phases.training import holdout_of
from research.services import datasets, holdouts, researches
from research.services.errors import NotFound, Refused
from research.services.reproducing import reproduce
from tests.integration.commands.story import tell
from tests.support.threads import at_once
from tests.unit.engine_a import cast

pytestmark = pytest.mark.django_db(transaction=True)


def load(n: int) -> None:
    datasets.store(cast.bars(n, symbol="ACME"), source="test")


def test_it_is_the_last_part_of_the_bars_and_moves_only_forward() -> None:
    load(1000)
    row = Holdout.objects.get()
    bars = cast.bars(2000, symbol="ACME")
    assert int(row.begins_at.timestamp()) == int(bars.time[850])
    load(600)
    row.refresh_from_db()
    assert int(row.begins_at.timestamp()) == int(bars.time[850]), "what was held out of a search stays held out"
    load(2000)
    row.refresh_from_db()
    assert int(row.begins_at.timestamp()) == int(bars.time[1700])


def test_a_research_keeps_the_hold_out_it_began_with() -> None:
    load(1000)
    before = researches.create(brief="calm before the rise", symbol="ACME")
    load(2000)
    after = researches.create(brief="calm before the rise", symbol="ACME")
    assert before.holdout_from is not None
    assert after.holdout_from is not None
    assert before.holdout_from < after.holdout_from
    assert holdout_of(after) == {"holdout": {"begins": int(after.holdout_from.timestamp()), "opened": False}}


def test_every_opening_is_counted_told_and_no_trial() -> None:
    done = tell().ids["r"]
    first, second = (holdouts.open_for(done, by="ada") for _ in range(2))
    assert [one.holdout_opening for one in (first, second)] == [1, 2]
    assert Holdout.objects.get().opened == 2
    assert (first.state, first.holdout_of_id, first.given) == (State.PENDING, done, second.given)
    assert holdout_of(first)["holdout"]["opened"] is True
    events = Event.objects.filter(code="holdout.opened").order_by("seq")
    assert [(event.user, event.data["opening"]) for event in events] == [("ada", 1), ("ada", 2)]
    assert "for the first time" in events[0].message


def test_two_openings_at_once_are_two() -> None:
    done = tell().ids["r"]
    opened = at_once(*[lambda: holdouts.open_for(done).holdout_opening] * 3)
    assert sorted(str(one) for one in opened) == ["1", "2", "3"]


def test_it_is_only_for_the_strategy_of_a_completed_research() -> None:
    ids = tell().ids
    with pytest.raises(Refused, match="is training"):
        holdouts.open_for(ids["r2"])
    with pytest.raises(NotFound):
        holdouts.open_for(99999)
    Research.objects.filter(pk=ids["r"]).update(holdout_of=ids["r2"], holdout_opening=1)
    with pytest.raises(Refused, match="itself of the hold-out"):
        holdouts.open_for(ids["r"])
    assert reproduce(ids["r"]).holdout_opening == 1, "done again to compare bits is no further opening"
    assert Holdout.objects.get().opened == 0
