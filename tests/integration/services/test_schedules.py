"""Researches begun by the clock: each turn once, none piled up, none lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from research.lifecycle.states import State
from research.models import Event, Research, Schedule
from research.models.clock import database_now
from research.services import researches, schedules
from research.services.errors import Invalid, NotFound
from tests.integration.services_data import rows
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = 3600


def made(**changes: Any) -> Schedule:
    rows.dataset()
    wanted: dict[str, Any] = {
        "brief": "calm before the rise",
        "every_s": HOUR,
        "asked": {"symbol": "ACME"},
        "by": "ada",
    }
    return schedules.create(**wanted | changes)


def back(row: Schedule, **ago: float) -> None:
    Schedule.objects.filter(pk=row.pk).update(next_at=database_now() - timedelta(**ago))


def test_the_first_turn_comes_at_once_and_the_next_after_its_time() -> None:
    row = made()
    assert (schedules.begin_due(), schedules.begin_due()) == (1, 0)
    row.refresh_from_db()
    begun = Research.objects.get()
    assert (begun.brief, begun.state, row.last, row.started) == (row.brief, State.PENDING, begun, 1)
    assert 0 < (row.next_at - database_now()).total_seconds() <= HOUR
    assert Event.objects.get(code="research.created").user == f"schedule {row.pk}"


def test_a_turn_is_taken_once_however_many_clusters_look() -> None:
    made()
    assert sorted(at_once(*[schedules.begin_due] * 4)) == [0, 0, 0, 1]
    assert Research.objects.count() == 1


def test_turns_that_were_missed_are_not_made_up_for() -> None:
    row = made()
    back(row, hours=5.5)
    assert schedules.begin_due() == 1
    row.refresh_from_db()
    assert 0 < (row.next_at - database_now()).total_seconds() <= HOUR / 2 + 5


def test_a_turn_is_left_out_while_its_last_research_is_not_over() -> None:
    row = made()
    schedules.begin_due()
    back(row, minutes=1)
    assert schedules.begin_due() == 0
    row.refresh_from_db()
    first = Research.objects.get()
    assert row.problem == f"its research {first.pk} is not over yet."
    assert Event.objects.get(code="schedule.skipped").data["schedule"] == row.pk
    researches.cancel(first.pk)
    back(row, minutes=1)
    assert schedules.begin_due() == 1
    row.refresh_from_db()
    assert (row.problem, row.started) == ("", 2)


def test_a_schedule_that_cannot_begin_says_why_and_hinders_no_other() -> None:
    broken, sound = made(), made(brief="the other")
    Schedule.objects.filter(pk=broken.pk).update(asked={"symbol": "GONE"})
    assert schedules.begin_due() == 1
    broken.refresh_from_db()
    sound.refresh_from_db()
    assert "No data for GONE" in broken.problem
    assert sound.last is not None


def test_an_ended_schedule_begins_nothing_more() -> None:
    row = made()
    schedules.end(row.pk, by="ada")
    assert schedules.begin_due() == 0
    assert not Research.objects.exists()
    with pytest.raises(NotFound):
        schedules.end(row.pk)
    assert {"schedule.created", "schedule.ended"} <= set(Event.objects.values_list("code", flat=True))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"every_s": 5}, "from one minute to a year"),
        ({"brief": " "}, "The brief is empty"),
        ({"asked": {"symbol": "GONE"}}, "No data for GONE"),
        ({"asked": {"designer": "nobody"}}, "unknown designer"),
    ],
)
def test_what_could_not_begin_now_is_refused_now(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        made(**wrong)
    assert not Schedule.objects.exists()
